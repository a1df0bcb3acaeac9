"""The NumPy twin that the benchmarks simulate with is the project's SQL."""

import gzip
import json

import numpy as np
import pytest
from numpy.testing import assert_allclose

from benchmarks import real_tasks, twin

# Each stratum as successes and trials of the incumbent, then of the challenger; worked out with a reference library.
# The figures: strata, trials, weight, difference, variance, robust variance, standard error, bounds, e-value.
DAYS = (
    "8,10,9,10 7,10,9,10 9,12,10,11 6,9,8,9 10,12,9,10 7,10,10,11 8,11,9,10 5,9,9,10 9,12,11,12 8,10,9,10 "
    "6,8,9,9 9,13,10,11"
)
BAD_DAYS = (
    "9,10,9,10 2,10,9,10 9,10,3,10 8,10,9,10 9,10,9,10 1,10,9,10 9,10,8,10 8,10,2,10 9,10,9,10 3,10,9,10 "
    "9,10,9,10 9,10,9,10"
)
LOPSIDED_DAYS = "17,20,1,1 15,20,2,2 16,20,1,1 18,21,1,1 14,19,2,2 16,20,1,1 15,20,1,1 17,20,2,2 16,20,1,1 15,19,1,1"
TASKS = " ".join(["1,1,1,1"] * 25 + ["1,1,0,1"] * 4 + ["0,1,1,1"] * 9 + ["0,1,0,1"] * 2)
STRATA = {
    "days": (
        DAYS,
        "12 249 62.1003359218 .181299325007 9.82051237663 1.67763089924 .0504630068194 "
        ".0164934385335 .346105211481 42.0962224378",
    ),
    "bad days": (
        BAD_DAYS,
        "12 240 60 .075 10.4210526316 58.9772727273 .127994436432 -.34491714741 .49491714741 .656660446472",
    ),
    "lopsided days": (
        LOPSIDED_DAYS,
        "10 212 12.1123376623 .205757786951 2.19771481044 .0398304906775 .122393315094 "
        "-.202489631313 .614005205216 1.48131268712",
    ),
    "tasks": (
        TASKS,
        "40 80 20 .125 3.5 3.17307692308 .0935414346693 -.257197602087 .507197602087 1.10621326462",
    ),
    "tasks, one of them tried ten times": (
        TASKS + " 0,10,10,10",
        "41 100 25 .3 4.81578947368 16.04125 .160206117237 -.317603334573 .917603334573 1.62199536376",
    ),
}


@pytest.fixture
def arms(random):
    trials = np.floor(10 ** random.uniform(0.3, 4, (2, 1000)))
    return random.binomial(trials.astype(int), random.beta(4, 1, (2, 1000))).astype(float), trials


@pytest.mark.parametrize("mode", ["default", "gbstats"])
def test_the_interval_is_that_of_the_sql(evaluate, arms, mode):
    (k_a, k_b), (n_a, n_b) = arms
    found = evaluate(
        "sequential",
        mode=mode,
        incumbent_successes=k_a,
        incumbent_trials=n_a,
        challenger_successes=k_b,
        challenger_trials=n_b,
        model_count=[2] * 1000,
    )
    lower, upper = twin.difference_bounds(k_a, n_a, k_b, n_b, twin.MODES[mode])
    half = np.where(np.isinf(upper - lower), np.nan, (upper - lower) / 2)
    assert np.isnan(half).any() == (mode == "gbstats")
    assert_allclose(found["half_width"], half, rtol=1e-9)
    assert_allclose(found["difference"], k_b / n_b - k_a / n_a, rtol=1e-9, atol=1e-15)


def counted(text):
    """Return the strata of a text as four arrays."""
    return np.array([stratum.split(",") for stratum in text.split()], dtype=float).T


def figures(sums):
    error = np.sqrt(sums.squared_error)
    evidence = twin.e_value(sums.difference, sums.squared_error, sums.trials, 1000)
    variances = (sums.variance, sums.robust_variance)
    return [sums.strata, sums.trials, sums.weight, sums.difference, *variances, error, *sums.bounds(), evidence]


@pytest.mark.parametrize("name", STRATA)
def test_a_difference_inside_strata_has_its_golden_figures(name):
    text, golden = STRATA[name]
    # The golden figures have twelve digits.
    expected = [float(figure) for figure in golden.split()]
    assert_allclose(figures(twin.Strata.of(*counted(text)).total()), expected, rtol=1e-11, atol=1e-11)


def test_each_look_reads_the_strata_so_far_and_only_common_ones():
    k_a, n_a, k_b, n_b = counted(DAYS)
    n_a[3] = k_a[3] = 0
    looks = twin.Strata.of(k_a, n_a, k_b, n_b).accumulated()
    for look in (1, 3, 4, 11):
        days = [day for day in range(look + 1) if day != 3]
        known = twin.Strata.of(*(values[days] for values in (k_a, n_a, k_b, n_b))).total()
        assert_allclose([figure[look] for figure in figures(looks)], figures(known), rtol=1e-12)


def test_a_verdict_needs_ten_strata_and_thirty_trials_of_each_arm():
    n = np.full(12, 10.0)
    n_b = np.full(12, 3.0)
    apart = twin.Strata.of(0 * n, n, n, n).accumulated()
    assert apart.is_separated().tolist() == [False] * 9 + [True] * 3
    assert twin.Strata.of(0 * n, n, n_b, n_b).accumulated().is_enough.tolist() == [False] * 9 + [True] * 3
    n_b[4] = 2
    assert twin.Strata.of(0 * n, n, n_b, n_b).accumulated().is_enough.tolist() == [False] * 10 + [True] * 2
    assert twin.Strata.of(n_b, n_b, 0 * n, n).accumulated().is_enough.tolist() == [False] * 10 + [True] * 2


def test_alpha_of_many_pairs_widens_the_logarithm_alone():
    """Days of the golden figures: N 249, standard error .0504630068194, r 1000 / 7.936154601737565."""
    r = 1000 / 7.936154601737565
    alpha = 0.05 / (10 * 9 / 2)
    half = 0.0504630068194 * np.sqrt((249 + r) / 249 * np.log((249 + r) / (r * alpha**2)))
    lower, upper = twin.Strata.of(*counted(DAYS)).total().bounds(alpha)
    assert_allclose([lower, upper], [0.181299325007 - half, 0.181299325007 + half], rtol=1e-9)


def test_evidence_of_a_worse_model_is_one_sided_and_beyond_the_margin():
    """38 of 50 against 45 of 50 has the p-value .657680778416, and its inverse is evidence if b is the worse one."""
    variance = 40 * 14 / 54**2 / 50 + 47 * 7 / 54**2 / 50
    error, trials = np.array(variance), np.array(100.0)
    assert_allclose(twin.worse_e_value(np.array(-0.14), error, trials), 1 / 0.657680778416, rtol=1e-9)
    assert twin.worse_e_value(np.array(0.14), error, trials) == 0
    assert twin.worse_e_value(np.array(-0.14), error, trials, margin=0.15) == 0
    assert_allclose(
        twin.worse_e_value(np.array(-0.24), error, trials, margin=0.10),
        twin.worse_e_value(np.array(-0.14), error, trials),
    )


def test_e_bh_selects_the_largest_evidence_among_those_compared():
    """Four compared at alpha .05: the first needs 80, the second 40, the third 80 / 3, the fourth 20."""
    compared = np.array([True, True, True, True, False])
    cases = {
        (90, 1, 1, 1, 999): [True, False, False, False, False],
        (79, 39, 26, 19, 999): [False, False, False, False, False],
        (27, 79, 28, 19, 999): [True, True, True, False, False],
        (20, 20, 20, 20, 0): [True, True, True, True, False],
    }
    for evidence, selected in cases.items():
        assert twin.e_bh(np.array(evidence, dtype=float), compared).tolist() == selected, evidence
    assert not twin.e_bh(np.zeros((2, 3)), np.zeros((2, 3), dtype=bool)).any()


@pytest.mark.parametrize(
    ("file", "task_type", "agent", "model_count", "golden"),
    [
        (
            "openhands-index", "swe-bench", None, 34,
            {"claude-fable-5": (1, 3.935625096), "claude-opus-4-8": (2, 1.274763144),
             "claude-opus-4-7": (3, 1.177093872), "Nemotron-3-Nano": (34, -3.122894593)},
        ),
        (
            "openhands-index", "gaia", None, 34,
            {"GPT-5.5": (1, 2.193758738), "Gemini-3.5-Flash": (2, 1.833107917), "GPT-5.4": (3, 1.686357152)},
        ),
        (
            "terminal-bench-2", "terminal-bench-2", "codex", 7,
            {"gpt-5.2": (1, 1.346327693), "gpt-5.1-codex-max": (2, 1.252430763)},
        ),
        (
            "terminal-bench-2", "terminal-bench-2", "terminus-2", 20,
            {"claude-opus-4-5-20251101": (1, 1.859226225), "gemini-3-pro-preview": (2, 1.835436624)},
        ),
    ],
)  # fmt: skip
def test_same_task_strength_of_real_tasks(real_data, file, task_type, agent, model_count, golden):
    with gzip.open(real_data / f"{file}.jsonl.gz", "rt") as lines:
        outcomes = [json.loads(line) for line in lines]
    shares, _, models = real_tasks.success_shares(
        outcome for outcome in outcomes if outcome["task_type"] == task_type and outcome.get("agent") == agent
    )
    strength = dict(zip(models, twin.same_task_strength(shares), strict=True))
    assert len(strength) == model_count
    by_strength = sorted(models, key=lambda model: -strength[model])
    for model, (rank, value) in golden.items():
        assert by_strength[rank - 1] == model
        assert_allclose(strength[model], value, atol=1e-6)


def test_same_task_strength_by_hand():
    """Two models over 40 tasks: 12 only the first solves, 5 only the second; eight halved steps from 0."""
    shares = np.array([[1.0, 0.0]] * 12 + [[0.0, 1.0]] * 5 + [[1.0, 1.0]] * 23)
    strength = twin.same_task_strength(shares)
    # With two models theta is +-x, and a step takes x to (x + log-odds - x) / 2 = log-odds / 2.
    assert_allclose(strength, [np.log(12.5 / 5.5) / 2, -np.log(12.5 / 5.5) / 2])


def test_a_model_with_few_shared_tasks_has_no_strength():
    shares = np.full((60, 3), np.nan)
    shares[:40, 0] = np.arange(40) % 2
    shares[:40, 1] = np.arange(40) % 3 == 0
    shares[31:, 2] = 1.0
    strength = twin.same_task_strength(shares)
    assert np.isnan(strength).tolist() == [False, False, True]
    assert_allclose(strength[:2], twin.same_task_strength(shares[:, :2]))
    assert np.isnan(twin.same_task_strength(np.full((40, 1), 1.0))).all()


def test_newcombe_is_that_of_the_sql(evaluate, arms):
    (k_a, k_b), (n_a, n_b) = arms
    found = evaluate(
        "newcombe",
        incumbent_successes=k_a,
        incumbent_trials=n_a,
        challenger_successes=k_b,
        challenger_trials=n_b,
    )
    lower, upper = twin.newcombe_bounds(k_a, n_a, k_b, n_b)
    assert_allclose(found["lower_bound"], lower, rtol=1e-9, atol=1e-12)
    assert_allclose(found["upper_bound"], upper, rtol=1e-9, atol=1e-12)


def test_the_cusum_is_that_of_the_sql(evaluate, random):
    trials = random.integers(0, 30, (10, 100)).astype(float)
    successes = random.binomial(trials.astype(int), 0.8).astype(float)
    baseline = np.where(random.random((10, 100)) < 0.1, np.nan, random.uniform(0.05, 0.99, (10, 100)))
    found = evaluate(
        "drift",
        cell=np.repeat(np.arange(10), 100),
        successes=successes.ravel(),
        trials=trials.ravel(),
        baseline=[None if np.isnan(value) else value for value in baseline.ravel()],
    )
    assert_allclose(found["cusum"], twin.cusum(successes, trials, baseline).ravel(), rtol=1e-9, atol=1e-9)


def test_the_first_look_that_decides_needs_both_arms():
    lower = np.array([[0.1, 0.1, -0.1], [-0.1, -0.1, 0.1], [-0.1, -0.1, -0.1]])
    at = twin.decided_at(lower, np.full((3, 3), 0.5), np.array([10.0, 30, 60]), np.array([30.0, 60, 90]))
    assert at.tolist() == [2, 3, np.inf]


def test_the_baseline_covers_the_days_before_the_last_week(random):
    trials = random.integers(0, 9, 80).astype(float)
    successes = random.binomial(trials.astype(int), 0.7).astype(float)
    found = twin.rolling_baseline(successes, trials)
    for day in range(80):
        window = slice(max(day - 35, 0), max(day - 7, 0))
        expected = np.nan
        if trials[window].sum() >= 30:
            expected = np.clip(successes[window].sum() / trials[window].sum(), 0.02, 0.99)
        assert_allclose(found[day], expected)

"""The anytime-valid boundary against what it is derived from.

The e-value is the density of z under a normal prior on the difference over that under no difference; the interval
ends where it reaches 1/alpha. Both are had from scipy's normal density, without the project's formula.
"""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats

GOLDEN = {
    "incumbent_successes": [38, 300, 600, 4000],
    "incumbent_trials": [50, 400, 1000, 5000],
    "challenger_successes": [45, 170, 680, 4200],
    "challenger_trials": [50, 200, 1000, 5000],
    "model_count": [2] * 4,
}
TUNING = {"default": 1000 / 7.936154601737565, "gbstats": 5000 / 7.936154601737565}


def arms(*rows):
    names = ("incumbent_successes", "incumbent_trials", "challenger_successes", "challenger_trials")
    return {**dict(zip(names, zip(*rows, strict=True), strict=True)), "model_count": [3] * len(rows)}


@pytest.fixture
def random_arms(random):
    """1,000 comparisons, balanced and lopsided, of equal and of different arms."""
    incumbent_trials, challenger_trials = np.floor(10 ** random.uniform(0, 4.5, (2, 1000))).astype(int)
    incumbent_rate = random.beta(4, 2, 1000)
    challenger_rate = np.clip(incumbent_rate + random.choice([0, 0.02, -0.1, 0.3], 1000), 0, 1)
    return {
        "incumbent_successes": random.binomial(incumbent_trials, incumbent_rate),
        "incumbent_trials": incumbent_trials,
        "challenger_successes": random.binomial(challenger_trials, challenger_rate),
        "challenger_trials": challenger_trials,
        "model_count": random.integers(2, 9, 1000),
    }


def plus_four_squared_error(arms):
    """From each arm's outcomes with two of either kind added: the variance of the list."""
    total = np.zeros(len(arms["incumbent_trials"]))
    for arm in ("incumbent", "challenger"):
        rows = zip(arms[f"{arm}_successes"], arms[f"{arm}_trials"], strict=True)
        total += [np.var(np.repeat([1, 0], [k + 2, n - k + 2])) / n for k, n in rows]
    return total


def log_e_value(z, trials, tuning):
    return stats.norm.logpdf(z, scale=np.sqrt(1 + trials / tuning)) - stats.norm.logpdf(z)


def half_width(squared_error, trials, tuning, alpha=0.05):
    """The difference at which the e-value reaches 1/alpha, by bisection."""
    low, high = np.zeros(len(trials)), np.full(len(trials), 1e3)
    for _ in range(80):
        middle = (low + high) / 2
        is_enough = log_e_value(middle, trials, tuning) >= -np.log(alpha)
        low, high = np.where(is_enough, low, middle), np.where(is_enough, middle, high)
    return np.sqrt(squared_error) * high


def test_golden_figures_of_the_default_mode(evaluate):
    found = evaluate("sequential", **GOLDEN)
    assert_allclose(found["lower_bound"][:3], [-0.161025062830, -0.003033166731, 0.014486020162], atol=1e-11)
    assert_allclose(found["upper_bound"][:3], [0.441025062830, 0.203033166731, 0.145513979838], atol=1e-11)
    assert_allclose(found["p_value"][:3], [0.657680778416, 0.062589852365, 0.005736764653], atol=1e-11)
    assert found["verdict"].tolist() == ["no_verdict_yet", "no_verdict_yet", "challenger_better", "challenger_better"]


def test_golden_figures_of_gbstats(evaluate):
    found = evaluate("sequential", mode="gbstats", **GOLDEN)
    lower = [-0.354116628575, -0.022902776629, 0.013177407381, 0.016508273673]
    upper = [0.634116628575, 0.222902776629, 0.146822592619, 0.063491726327]
    assert_allclose(found["lower_bound"], lower, atol=1e-11)
    assert_allclose(found["upper_bound"], upper, atol=1e-11)
    assert_allclose(found["p_value"][:3], [0.841351591258, 0.154092288800, 0.010018452855], atol=1e-11)
    assert found["p_value"][3] == pytest.approx(1.15498483364e-05, rel=1e-10)


def test_the_plus_four_variance_is_that_of_the_padded_outcomes(evaluate, random_arms):
    found = evaluate("sequential", **random_arms)
    assert_allclose(found["squared_error"], plus_four_squared_error(random_arms), rtol=1e-9)


def test_the_interval_ends_where_the_evidence_reaches_one_over_alpha(evaluate, random_arms):
    trials = random_arms["incumbent_trials"] + random_arms["challenger_trials"]
    for mode, tuning in TUNING.items():
        found = evaluate("sequential", mode=mode, **random_arms)
        known = found["squared_error"] > 0
        expected = half_width(found["squared_error"][known], trials[known], tuning)
        assert_allclose(found["half_width"][known], expected, rtol=1e-9)
        assert np.isnan(found["half_width"][~known]).all()
        assert_allclose(found["tuning"], tuning, rtol=1e-14)


def test_many_pairs_widen_the_interval_by_alpha_alone(evaluate, random_arms):
    found = evaluate("sequential", **random_arms)
    trials = random_arms["incumbent_trials"] + random_arms["challenger_trials"]
    alpha = 0.05 / (random_arms["model_count"] - 1)
    assert_allclose(
        found["half_width_of_many"], half_width(found["squared_error"], trials, TUNING["default"], alpha), rtol=1e-9
    )


def test_the_e_value_is_a_ratio_of_densities(evaluate, random_arms):
    found = evaluate("sequential", **random_arms)
    trials = random_arms["incumbent_trials"] + random_arms["challenger_trials"]
    z = found["difference"] / np.sqrt(found["squared_error"])
    expected = log_e_value(z, trials, TUNING["default"])
    assert (expected > 700).any()
    assert_allclose(np.log(found["e_value"]), np.minimum(expected, 700), rtol=1e-9, atol=1e-9)
    assert_allclose(found["p_value"], np.exp(-np.clip(expected, 0, 700)), rtol=1e-9)
    assert_array_equal(found["demotion_e_value"], np.where(found["difference"] < 0, found["e_value"], 0))


def test_no_trials_mean_no_figures_and_no_error(evaluate):
    found = evaluate("sequential", **arms((0, 0, 3, 5), (3, 5, 0, 0), (0, 0, 0, 0)))
    for name in ("squared_error", "half_width", "e_value", "demotion_e_value", "p_value", "more_trials"):
        assert np.isnan(found[name]).all(), name
    assert set(found["verdict"]) == {"too_few_trials"}


def test_certain_arms_have_an_interval_by_default_and_none_in_gbstats_mode(evaluate):
    certain = arms((50, 50, 50, 50), (0, 50, 50, 50))
    found = evaluate("sequential", **certain)
    assert_array_equal(found["lower_bound"] > 0, [False, True])
    assert found["verdict"].tolist() == ["no_verdict_yet", "challenger_better"]
    found = evaluate("sequential", mode="gbstats", **certain)
    assert np.isnan([found["half_width"], found["e_value"], found["p_value"]]).all()
    assert set(found["verdict"]) == {"no_verdict_yet"}


def test_bounds_are_clipped_and_verdicts_need_thirty_trials_of_each_arm(evaluate):
    found = evaluate("sequential", **arms((1, 1, 0, 1), (0, 29, 900, 900), (0, 30, 900, 900), (900, 900, 0, 30)))
    assert (found["lower_bound"][0], found["upper_bound"][0]) == (-1, 1)
    assert found["verdict"][1:].tolist() == ["too_few_trials", "challenger_better", "incumbent_better"]


@pytest.mark.parametrize(("column", "level"), [("more_trials", 0.05), ("more_trials_of_many", 0.025)])
def test_trials_to_separate_is_the_first_that_does(evaluate, random_arms, column, level):
    random_arms["model_count"] = np.full(1000, 3)
    found = evaluate("sequential", **random_arms)
    incumbent_trials, challenger_trials = random_arms["incumbent_trials"], random_arms["challenger_trials"]
    trials, fewest = incumbent_trials + challenger_trials, np.minimum(incumbent_trials, challenger_trials)

    def separated(more):
        """Does the evidence of this many more trials, at the same difference, reach 1/level?"""
        total = trials + more
        z = found["difference"] / np.sqrt(found["squared_error"] * trials / total)
        is_evident = log_e_value(z, total, TUNING["default"]) >= -np.log(level)
        return is_evident & (fewest * total >= 30 * trials)

    low, high = np.zeros(1000, dtype=int), np.full(1000, 10_000_000)
    is_answered = separated(high)
    while (low < high).any():
        middle = (low + high) // 2
        is_enough = separated(middle)
        low, high = np.where(is_enough, low, middle + 1), np.where(is_enough, middle, high)
    assert_array_equal(found[column], np.where(is_answered, high, np.nan))
    assert 100 < is_answered.sum() < 1000
    assert 100 < (found[column] == 0).sum() < is_answered.sum()


def test_equal_arms_never_separate(evaluate):
    assert np.isnan(evaluate("sequential", **arms((30, 60, 30, 60)))["more_trials"]).all()


def test_traffic_is_a_chi_square(evaluate, random):
    trials = np.floor(10 ** random.uniform(1, 5, 1000)).astype(int)
    share = random.uniform(0.05, 0.95, 1000)
    challenger = random.binomial(trials, share)
    found = evaluate("traffic", challenger_trials=challenger, trials=trials, challenger_share=share)
    observed, expected = np.array([challenger, trials - challenger]), np.array([share * trials, (1 - share) * trials])
    chi_square = stats.chisquare(observed, expected).statistic
    assert_allclose(found["squared_z"], chi_square, rtol=1e-9, atol=1e-9)
    assert_allclose(found["e_value"], np.exp(log_e_value(np.sqrt(chi_square), trials, TUNING["default"])), rtol=1e-8)


def test_traffic_without_trials_or_without_a_real_share_is_null(evaluate):
    found = evaluate("traffic", challenger_trials=[0, 5, 0], trials=[0, 5, 9], challenger_share=[0.5, 1, None])
    assert np.isnan([found["squared_z"], found["e_value"]]).all()

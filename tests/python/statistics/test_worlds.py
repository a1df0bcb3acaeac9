"""The simulated logs of the benchmarks, and what these count, against plain loops over few runs."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from benchmarks import real_tasks, same_task, selection, twin, worlds
from benchmarks.targets import Target
from benchmarks.worlds import DAYS, Looks

from .test_twin import DAYS as DAYS_OF_TWO
from .test_twin import counted

C = -2 * math.log(0.05) + math.log(1 - 2 * math.log(0.05))
R = 1000 / C


def by_hand(strata, alpha=0.05):
    """Return difference, squared error, trials and whether they decide, by the formula, over (k_a, n_a, k_b, n_b)."""
    common = [each for each in strata if each[1] > 0 and each[3] > 0]
    if not common:
        return math.nan, math.nan, 0, False
    weights = [n_a * n_b / (n_a + n_b) for _, n_a, _, n_b in common]
    deltas = [k_b / n_b - k_a / n_a for k_a, n_a, k_b, n_b in common]
    total = sum(weights)
    difference = sum(w * delta for w, delta in zip(weights, deltas, strict=True)) / total
    within = 0.25 + sum(
        n_a * n_b * (k_a + k_b) * (n_a + n_b - k_a - k_b) / ((n_a + n_b) ** 2 * (n_a + n_b - 1))
        for k_a, n_a, k_b, n_b in common
    )
    count = len(common)
    robust = sum((w * (delta - difference)) ** 2 for w, delta in zip(weights, deltas, strict=True))
    robust *= count / max(count - 1, 1)
    error = max(within, robust) / total**2
    trials = sum(n_a + n_b for _, n_a, _, n_b in common)
    half = math.sqrt(error * (trials + R) / trials * math.log((trials + R) / (R * alpha**2)))
    is_enough = count >= 10 and min(sum(each[1] for each in common), sum(each[3] for each in common)) >= 30
    return difference, error, trials, is_enough and abs(difference) > half


def pooled_by_hand(k_a, n_a, k_b, n_b, alpha):
    error = sum((k + 2) * (n - k + 2) / (n + 4) ** 2 / n for k, n in ((k_a, n_a), (k_b, n_b)))
    trials = n_a + n_b
    half = math.sqrt(error * (trials + R) / trials * math.log((trials + R) / (R * alpha**2)))
    return error, min(n_a, n_b) >= 30 and abs(k_b / n_b - k_a / n_a) > half


def test_rank_sets_separate_the_pairs_that_a_loop_separates(random):
    runs, models = 6, 4
    trials = random.integers(0, 6, (runs, models, DAYS)).astype(float)
    rates = np.array([0.7, 0.72, 0.74, 0.8])[:, None]
    successes = random.binomial(trials.astype(int), rates).astype(float)
    pooled, stratified = np.zeros((2, runs), dtype=bool)
    for run in range(runs):
        for a in range(models):
            for b in range(a + 1, models):
                for look in range(1, DAYS + 1):
                    (k_a, k_b), (n_a, n_b) = (
                        (values[run, a, :look], values[run, b, :look]) for values in (successes, trials)
                    )
                    sums = (k_a.sum(), n_a.sum(), k_b.sum(), n_b.sum())
                    if min(sums[1], sums[3]) > 0:
                        pooled[run] |= pooled_by_hand(*sums, alpha=0.05 / 3)[1]
                    stratified[run] |= by_hand(zip(k_a, n_a, k_b, n_b, strict=True), alpha=0.05 / 6)[3]
    assert 0 < pooled.sum() < runs or 0 < stratified.sum() < runs
    assert selection.separated_shares(successes, trials) == (pooled.mean(), stratified.mean())


def test_rank_sets_share_alpha_among_all_pairs(random):
    """The twelve days have evidence 42.096: more than 1/.05 for one pair, less than 3/.05 for three.

    Alpha divided by the other models would let it pass: 2/.05 is 40."""
    k_a, n_a, k_b, n_b = counted(DAYS_OF_TWO)
    unused = np.zeros(12)
    assert selection.separated_shares(np.array([[k_a, k_b]]), np.array([[n_a, n_b]]))[1] == 1
    assert selection.separated_shares(np.array([[k_a, k_b, unused]]), np.array([[n_a, n_b, unused]]))[1] == 0


def test_the_incumbent_has_most_trials_in_thirty_days(random):
    trials = random.integers(0, 8, (3, 4, DAYS)).astype(float)
    trials[:, 0, :40] += 5
    trials[:, 1, 40:] += 5
    found = selection.most_used(trials)
    for run in range(3):
        for day in range(DAYS):
            recent = trials[run, :, max(day - 29, 0) : day + 1].sum(axis=1)
            assert recent[found[run, day]] == recent.max()


def test_false_discoveries_are_shares_of_a_list():
    is_listed = np.array([[[True, False], [True, False], [True, False], [False, False]]])
    assert_allclose(selection.false_discoveries(is_listed, np.array([True, False, False, False])), [[2 / 3, 0]])


@pytest.mark.parametrize("is_incumbent_fixed", [True, False])
def test_the_list_for_demotion_is_that_of_a_loop(random, is_incumbent_fixed):
    models = 4
    trials = random.integers(0, 8, (1, models, DAYS)).astype(float)
    trials[0, 0, :40] += 5
    trials[0, 1, 40:] += 5
    trials[0, 2] = np.where(np.arange(DAYS) % 11 == 5, 20, 0)  # on eight days, too few for a verdict within strata
    rates = np.array([0.85, 0.85, 0.4, 0.5])[:, None]
    successes = random.binomial(trials.astype(int), rates).astype(float)
    found = selection.demotion_lists(successes, trials, is_incumbent_fixed)
    incumbents = set()
    for look in range(1, DAYS + 1):
        k, n = successes[0, :, :look], trials[0, :, :look]
        incumbent = 0 if is_incumbent_fixed else int(n[:, -30:].sum(axis=1).argmax())
        incumbents.add(incumbent)
        evidence: dict[str, dict[int, float]] = {"pooled": {}, "strata": {}}
        for model in set(range(models)) - {incumbent}:
            sums = (k[incumbent].sum(), n[incumbent].sum(), k[model].sum(), n[model].sum())
            if min(sums[1], sums[3]) >= 30:
                error = pooled_by_hand(*sums, alpha=0.05)[0]
                evidence["pooled"][model] = one_sided(sums[2] / sums[3] - sums[0] / sums[1], error, sums[1] + sums[3])
            strata = list(zip(k[incumbent], n[incumbent], k[model], n[model], strict=True))
            common = np.array([each for each in strata if each[1] > 0 and each[3] > 0])
            if len(common) >= 10 and min(common[:, 1].sum(), common[:, 3].sum()) >= 30:
                evidence["strata"][model] = one_sided(*by_hand(strata)[:3])
        for is_listed, known in zip(found, evidence.values(), strict=True):
            assert set(np.flatnonzero(is_listed[0, :, look - 1])) == e_bh_by_hand(known), look
    assert incumbents == ({0} if is_incumbent_fixed else {0, 1})
    assert all(is_listed[0, 3].any() for is_listed in found)


def one_sided(difference, error, trials):
    if difference >= 0:
        return 0.0
    return math.sqrt(R / (trials + R)) * math.exp(difference**2 / error / 2 * trials / (trials + R))


def e_bh_by_hand(evidence):
    ranked = sorted(evidence, key=lambda model: -evidence[model])
    counts = [number for number, model in enumerate(ranked, 1) if number * evidence[model] / len(evidence) >= 1 / 0.05]
    return set(ranked[: max(counts, default=0)])


def test_tasks_are_the_strata_once_thirty_or_a_tenth_are_shared(random):
    n_a = np.ones((1, 20, 2))
    n_b = np.ones((1, 20, 2))
    n_b[0, :4, 0] = 0  # tasks that the challenger does not try
    k_a, k_b = (random.binomial(1, 0.5, n_a.shape) * n for n in (n_a, n_b))
    days = Looks.of_days(*(counts.sum(axis=-1) for counts in (k_a, n_a, k_b, n_b)))
    tasks = twin.Strata.of(k_a, n_a, k_b, n_b).total().accumulated()
    assert days.with_tasks(tasks, np.full((1, 20), 100.0)).is_by_task[0].tolist() == [False] * 6 + [True] * 14
    looks = days.with_tasks(tasks, np.full((1, 20), 400.0))
    assert looks.is_by_task[0].tolist() == [False] * 16 + [True] * 4
    assert looks.strata.strata[0].tolist() == [*range(1, 17), 30, 32, 34, 36]
    for look, columns in ((10, "days"), (19, "tasks")):
        counts = [values[0, : look + 1] for values in (k_a, n_a, k_b, n_b)]
        flat = [each.sum(axis=1) if columns == "days" else each.ravel() for each in counts]
        difference, error, trials, _ = by_hand(zip(*flat, strict=True))
        assert_allclose(looks.strata.difference[0, look], difference, atol=1e-12)
        assert_allclose(looks.strata.squared_error[0, look], error)
        assert looks.strata.trials[0, look] == trials


@pytest.mark.parametrize("world", [*worlds.identical_models()], ids=lambda world: f"{world.name}, {world.detail}")
def test_the_models_of_a_world_are_equally_good(world, random):
    """No look has fewer trials than the last, and the mean difference is within five of its standard errors of 0."""
    looks = world.simulate(random, 400)
    k_a, n_a, k_b, n_b = looks.pooled
    for k, n in ((k_a, n_a), (k_b, n_b)):
        assert k.shape == n.shape == (400, DAYS)
        assert (np.diff(n, axis=1) >= 0).all()
        assert (np.diff(k, axis=1) <= np.diff(n, axis=1)).all()
    last = looks.strata.weighted_difference[:, -1]
    assert abs(last.mean()) < 5 * last.std() / math.sqrt(len(last))


def test_routing_sends_the_hard_tasks_to_the_challenger():
    share = worlds.share_of_hard(np.array([0.0, 0.5, 1.0]), 4)
    odds = share / (1 - share)
    assert_allclose(np.log(odds), [-2, 0, 2], atol=1e-12)


def test_thompson_sampling_hands_out_all_trials_of_a_day_and_keeps_the_rate(random):
    successes, trials = worlds.thompson_counts(random, 50, 3, 20, np.full(30, 0.8))
    assert (trials.sum(axis=1) == 20).all()
    assert_allclose(successes.sum() / trials.sum(), 0.8, atol=0.01)
    # It prefers the model that had luck on the first day.
    lucky, unlucky = (at(successes[:, :, 0] / trials[:, :, 0], axis=1) for at in (np.nanargmax, np.nanargmin))
    run = np.arange(len(trials))
    assert trials[run, lucky, 1].mean() > 1.5 * trials[run, unlucky, 1].mean()


def test_pairs_of_real_models_are_those_about_five_points_apart():
    shares = np.full((100, 3), np.nan)
    shares[:, 0] = np.arange(100) < 60
    shares[:, 1] = np.arange(100) < 55
    shares[:50, 2] = 1.0  # on these fifty tasks both others succeed too
    (pair,) = real_tasks.near_pairs(shares)
    assert pair.mean(axis=0).tolist() == [0.55, 0.60]


def test_a_decision_on_the_same_tasks_is_that_of_a_loop(random):
    pair = np.array([[0.0, 1.0]] * 30 + [[1.0, 0.0]] * 10 + [[1.0, 1.0]] * 60)
    drawn = pair[np.random.default_rng(1).integers(len(pair), size=(real_tasks.ORDERS, real_tasks.MOST_TASKS))]
    pooled, same = real_tasks.decision_tasks(np.random.default_rng(1), pair)
    for order in range(3):
        tasks = [(a, 1, b, 1) for a, b in drawn[order]]
        first = next(count for count in range(30, 5000) if by_hand(tasks[:count])[3])
        assert same[order] == first
        sums = np.cumsum(drawn[order], axis=0)
        first = next(n for n in range(30, 5000) if pooled_by_hand(sums[n - 1, 0], n, sums[n - 1, 1], n, 0.05)[1])
        assert pooled[order] == first
    the_worse_wins = real_tasks.decision_tasks(np.random.default_rng(1), pair[:, ::-1])
    assert_allclose(the_worse_wins, [-pooled, -same])


def test_two_models_try_each_task_and_strong_ones_the_hard_tasks(random):
    rates = np.linspace(0.1, 0.9, 8)
    verdicts = (random.random((4000, 8)) < rates).astype(float)
    for log_odds in (0, 6):
        is_tried = same_task.routed(random, verdicts, log_odds)
        assert (is_tried.sum(axis=1) == 2).all()
        hardest = np.argsort(verdicts.mean(axis=1))[:1000]
        ratio = is_tried[hardest, -1].mean() / is_tried[hardest, 0].mean()
        assert ratio > 5 if log_odds else 0.8 < ratio < 1.25


def test_the_correlation_is_the_mean_of_spearmans(random):
    estimate, truth = random.integers(0, 6, (2, 5, 8))
    expected = np.mean([stats.spearmanr(*pair).statistic for pair in zip(estimate, truth, strict=True)])
    assert_allclose(same_task.mean_correlation(estimate, truth), expected)


def test_a_target_marks_what_misses_it(capsys):
    target = Target("at most 5 %", largest=0.05)
    assert [target.percent("small", 0.05), target.percent("large", 0.051)] == ["5.0%", "**5.1% missed**"]
    assert Target("", smallest=0.93).cell("", 0.93, ".93") == ".93"
    assert Target("", smallest=0.93).cell("", 0.92, ".92") == "**.92 missed**"
    target.report()
    assert capsys.readouterr().out == "\nTarget: at most 5 %. Missed: large (5.1%).\n\n"
    assert twin.first_look(np.array([[False, True, True], [False, False, False]])).tolist() == [2, np.inf]

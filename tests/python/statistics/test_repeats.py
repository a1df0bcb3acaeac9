"""pass@k and pass^k against all sets of k tries and scipy's binomials; their means, flips and the share of the variance
against numpy and scipy over the single verdicts."""

from itertools import combinations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special, stats

K = (1, 2, 3, 5)


def columns_of(cells):
    """The rows of int_repeats_counted for lists of (tries, successes) per cell, each task in a row of its own."""
    rows = [(number, *task) for number, tasks in enumerate(cells) for task in tasks]
    cell, tries, successes = np.array(rows).T
    return {"cell": cell, "tries": tries, "successes": successes, "tasks": np.ones(len(rows), dtype=int)}


@pytest.fixture
def cells(random):
    """1,000 lists of (tries, successes): 1 to 30 tasks, 1 to 9 tries, tasks alike or not, easy or hard."""
    cells = []
    for _ in range(1000):
        number = random.integers(1, 31)
        tries = random.integers(1, random.integers(3, 11), number)
        tries[0] += tries[0] == 1
        spread = random.choice([0.05, 0.5, 3.0, 100.0])
        rates = random.beta(random.uniform(0.1, 2) * spread, random.uniform(0.1, 2) * spread, number)
        cells.append(list(zip(tries, random.binomial(tries, rates), strict=True)))
    return cells


@pytest.mark.parametrize("tries", range(1, 8))
def test_the_estimates_are_the_shares_of_all_sets_of_tries(evaluate, tries):
    successes = np.arange(tries + 1)
    found = evaluate("passes", tries=np.full(tries + 1, tries), successes=successes)
    for k in K:
        sets = [list(combinations([1] * c + [0] * (tries - c), k)) for c in successes]
        for name, holds in (("pass_at", any), ("pass_power", all)):
            shares = np.array([np.mean([holds(each) for each in group]) if group else np.nan for group in sets])
            assert_allclose(found[f"{name}_{k}"], shares, rtol=0, atol=1e-15)


def test_the_estimates_against_scipy(evaluate, random):
    tries = np.floor(10 ** random.uniform(0, 4, 1000)).astype(int)
    successes = random.binomial(tries, random.beta(0.5, 0.5, 1000))
    found = evaluate("passes", tries=tries, successes=successes)
    for k in K:
        sets = np.where(tries >= k, special.comb(tries, k), np.nan)
        assert np.isnan(sets).any() == (k > 1)
        assert_allclose(found[f"pass_at_{k}"], 1 - special.comb(tries - successes, k) / sets, rtol=0, atol=1e-12)
        assert_allclose(found[f"pass_power_{k}"], special.comb(successes, k) / sets, rtol=0, atol=1e-12)


def test_tasks_that_all_end_the_same_way_are_exact(evaluate):
    tries = np.arange(5, 200)
    all_succeed, none_succeed = (evaluate("passes", tries=tries, successes=each) for each in (tries, 0 * tries))
    for k in K:
        for name in (f"pass_at_{k}", f"pass_power_{k}"):
            assert_array_equal(all_succeed[name], np.ones(len(tries)))
            assert_array_equal(none_succeed[name], np.zeros(len(tries)))


def interval(values):
    """The t interval of the mean, within 0 and 1; nan for fewer than two values."""
    if len(values) < 2:
        return np.nan, np.nan
    error = np.std(values, ddof=1) / np.sqrt(len(values))
    quantile = stats.t.isf(0.025, len(values) - 1)
    return max(0, np.mean(values) - quantile * error), min(1, np.mean(values) + quantile * error)


def test_means_and_intervals_against_scipy(evaluate, cells):
    found = evaluate("repeats", **columns_of(cells))
    expected: dict[str, list[float]] = {name: [] for name in found if name.startswith(("pass_", "flip_"))}
    numbers: dict[int, list[int]] = {k: [] for k in K}
    for tasks in cells:
        n, c = np.array(tasks).T
        values = {"flip_rate": ((c > 0) & (c < n))[n > 1].astype(float)}
        for k in K:
            enough = n >= k
            sets = special.comb(n[enough], k)
            values[f"pass_at_{k}"] = 1 - special.comb(n[enough] - c[enough], k) / sets
            values[f"pass_power_{k}"] = special.comb(c[enough], k) / sets
            numbers[k].append(enough.sum())
        for name, each in values.items():
            lower, upper = interval(each)
            expected[name].append(np.mean(each) if len(each) else np.nan)
            expected[f"{name}_lower"].append(lower)
            expected[f"{name}_upper"].append(upper)
    assert len(expected) == 27
    for name, figures in expected.items():
        assert_allclose(found[name], figures, rtol=0, atol=1e-12, err_msg=name)
    names = ("tasks", "repeated_tasks", "tasks_with_3_tries", "tasks_with_5_tries")
    assert_array_equal([found[name] for name in names], list(numbers.values()))
    assert_array_equal(found["tries"], [sum(n for n, _ in tasks) for tasks in cells])


def analysis_of_variance(verdicts):
    """The share of the variance between groups of verdicts, from sums of squares of the single verdicts."""
    sizes = np.array([len(each) for each in verdicts])
    means = np.array([np.mean(each) for each in verdicts])
    together = np.concatenate(verdicts)
    if len(verdicts) < 2 or np.ptp(together) == 0:
        return np.nan
    between = np.sum(sizes * (means - np.mean(together)) ** 2) / (len(verdicts) - 1)
    inside = sum(np.sum((each - np.mean(each)) ** 2) for each in verdicts) / (len(together) - len(verdicts))
    size = (len(together) - np.sum(sizes**2) / len(together)) / (len(verdicts) - 1)
    return max(0, (between - inside) / (between + (size - 1) * inside))


def test_the_share_of_the_variance_against_an_analysis_of_variance(evaluate, cells):
    found = evaluate("repeats", **columns_of(cells))
    expected = np.array([
        analysis_of_variance([np.repeat([1.0, 0.0], [c, n - c]) for n, c in tasks if n > 1]) for tasks in cells
    ])  # fmt: skip
    assert_allclose(found["icc"], expected, rtol=0, atol=1e-12)
    assert min(np.isnan(expected).sum(), (expected == 0).sum(), ((expected > 0) & (expected < 1)).sum()) > 10


def test_the_share_of_the_variance_of_equal_sizes_follows_from_the_f_statistic(evaluate):
    """ICC(1) = (F - 1)/(F + n - 1) for n tries of each task (Shrout and Fleiss 1979)."""
    tasks = [(4, 4), (4, 3), (4, 0), (4, 1), (4, 4)]
    f = stats.f_oneway(*(np.repeat([1.0, 0.0], [c, n - c]) for n, c in tasks)).statistic
    found = evaluate("repeats", **columns_of([tasks]))
    assert found["icc"] == pytest.approx((f - 1) / (f + 3))


def test_equal_tasks_in_one_row_count_as_many(evaluate, cells):
    """int_repeats_counted has one row for all tasks with the same tries and successes."""
    rows = [(number, *task, tasks.count(task)) for number, tasks in enumerate(cells) for task in sorted(set(tasks))]
    columns = zip(("cell", "tries", "successes", "tasks"), zip(*rows, strict=True), strict=True)
    found = evaluate("repeats", **dict(columns))
    for name, figures in evaluate("repeats", **columns_of(cells)).items():
        if found[name].dtype == float:
            assert_allclose(found[name], figures, rtol=0, atol=1e-12, err_msg=name)
    assert len(rows) < sum(map(len, cells))

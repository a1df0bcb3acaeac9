"""The ratio of sums and its delta-method error against numpy's covariances of the single trials."""

from typing import Any

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from statsmodels.stats.proportion import proportion_confint


def sums(cells):
    """The sums per cell that the warehouse keeps, from lists of (cost, success)."""
    costs, wins = [c for c, _ in cells], [s for _, s in cells]
    return {
        "trials": [len(c) for c in costs],
        "successes": [int(np.sum(s)) for s in wins],
        "costs": [float(np.sum(c)) for c in costs],
        "squared_costs": [float(np.sum(np.square(c))) for c in costs],
        "success_costs": [float(np.dot(c, s)) for c, s in cells],
    }


def test_golden_figures(evaluate):
    costs = np.array([0.10, 0.20, 0.15, 0.30, 0.05, 0.25, 0.10, 0.20, 0.15, 0.40])
    found = evaluate("costs", **sums([(costs, np.array([1, 1, 0, 1, 1, 0, 1, 1, 1, 0]))]))
    assert_allclose(found["cost"], 0.271428571429, atol=1e-12)
    assert_allclose(found["error"], 0.092651962394, atol=1e-12)
    assert_allclose([found["lower_bound"], found["upper_bound"]], [[0.117736288773], [0.625749886934]], atol=1e-12)


def test_against_the_covariance_of_the_trials(evaluate, random):
    cells: list[Any] = []
    while len(cells) < 1000:
        n = random.integers(2, 300)
        wins = random.binomial(1, random.beta(3, 1), n)
        if wins.sum() > 1:
            cells.append((random.lognormal(-3, random.choice([0.1, 1]), n) * (2 - wins), wins))
    found = evaluate("costs", **sums(cells))
    expected = np.zeros(1000)
    for index, (costs, wins) in enumerate(cells):
        covariance = np.cov(costs, wins)
        gradient = np.array([1, -costs.sum() / wins.sum()]) / wins.mean()
        expected[index] = np.sqrt(gradient @ covariance @ gradient / len(costs))
    mean, won, tried = np.array([(costs.mean(), wins.sum(), len(wins)) for costs, wins in cells]).T
    ratio = mean * tried / won
    assert_allclose(found["cost"], ratio, rtol=1e-12)
    assert_allclose(found["error"], expected, rtol=1e-9)
    spread = stats.t.isf(0.025, won - 1) * expected / ratio
    lowest_rate, highest_rate = proportion_confint(won, tried, method="wilson")
    assert_allclose(found["lower_bound"], np.minimum(ratio * np.exp(-spread), mean / highest_rate), rtol=1e-8)
    assert_allclose(found["upper_bound"], np.maximum(ratio * np.exp(spread), mean / lowest_rate), rtol=1e-8)
    is_wilson = mean / lowest_rate > ratio * np.exp(spread)
    assert 10 < is_wilson.sum() < 990


def test_equal_costs_have_the_width_of_the_success_rate(evaluate):
    """Two successes at $.05 each: the success rate may be as low as .342."""
    found = evaluate("costs", **sums([([0.05, 0.05], [1, 1]), ([0.1] * 3, [1] * 3)]))
    assert_allclose(found["lower_bound"], [0.05, 0.1], rtol=1e-9)
    assert_allclose(
        found["upper_bound"], [0.146036470517, 0.1 / proportion_confint(3, 3, method="wilson")[0]], rtol=1e-9
    )


def test_degenerate_cells_have_no_bounds(evaluate):
    """No trial, one trial, no success, no cost, and one success among several trials."""
    nothing = np.zeros(0)
    cells = [(nothing, nothing), ([0.5], [1]), ([0.5, 0.25], [0, 0]), ([0, 0, 0], [1, 0, 1]), ([0.5, 0.25], [0, 1])]
    found = evaluate("costs", **sums(cells))
    assert_array_equal(found["cost"], [np.nan, 0.5, np.nan, 0, 0.75])
    assert_array_equal(found["error"][:4], [np.nan, np.nan, np.nan, 0])
    assert np.isnan([found["spread"], found["lower_bound"], found["upper_bound"]]).all()


def test_a_bound_beyond_all_numbers_is_no_error(evaluate):
    """One degree of freedom, and a million trials that cost 1 cent, of which one cost $10,000."""
    unlike = {
        "trials": [10**6],
        "successes": [2],
        "costs": [2e4],
        "squared_costs": [1e8 + 1e2],
        "success_costs": [0.02],
    }
    found = evaluate("costs", **unlike)
    assert 0 < found["lower_bound"][0] < found["cost"][0] < found["upper_bound"][0] < 1e300

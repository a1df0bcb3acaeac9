"""The ratio of sums and its delta-method error against numpy's covariances of the single trials."""

from typing import Any

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal


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
    assert_allclose([found["lower_bound"], found["upper_bound"]], [[0.139026785095], [0.529922844275]], atol=1e-12)


def test_against_the_covariance_of_the_trials(evaluate, random):
    cells: list[Any] = []
    while len(cells) < 1000:
        n = random.integers(2, 300)
        wins = random.binomial(1, random.beta(3, 1), n)
        if wins.any():
            cells.append((random.lognormal(-3, 1, n) * (2 - wins), wins))
    found = evaluate("costs", **sums(cells))
    expected = np.zeros(1000)
    for index, (costs, wins) in enumerate(cells):
        covariance = np.cov(costs, wins)
        gradient = np.array([1, -costs.sum() / wins.sum()]) / wins.mean()
        expected[index] = np.sqrt(gradient @ covariance @ gradient / len(costs))
    ratio = np.array([costs.sum() / wins.sum() for costs, wins in cells])
    assert_allclose(found["cost"], ratio, rtol=1e-12)
    assert_allclose(found["error"], expected, rtol=1e-9)
    assert_allclose(np.log(found["upper_bound"] / found["lower_bound"]), 2 * 1.959963984540054 * expected / ratio)
    assert_allclose(found["upper_bound"] * found["lower_bound"], ratio**2)


def test_degenerate_cells_have_no_bounds(evaluate):
    nothing = np.zeros(0)
    found = evaluate(
        "costs",
        **sums([(nothing, nothing), ([0.5], [1]), ([0.5, 0.25], [0, 0]), ([0, 0, 0], [1, 0, 1]), ([0.1] * 3, [1] * 3)]),
    )
    assert_array_equal(found["cost"][:4], [np.nan, 0.5, np.nan, 0])
    assert_array_equal(found["error"][:4], [np.nan, np.nan, np.nan, 0])
    assert np.isnan([found["lower_bound"][:4], found["upper_bound"][:4]]).all()
    assert_allclose([found["lower_bound"][4], found["upper_bound"][4]], 0.1, rtol=1e-6)

"""The moment estimator against sums of squares of the single outcomes."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal


def test_golden_figures(evaluate):
    found = evaluate("shrinkage", task_type=[1] * 4, successes=[45, 150, 440, 3], trials=[50, 200, 500, 4])
    assert_allclose(found["pooled_rate"], 0.846153846154, atol=1e-12)
    assert_allclose(found["variance"], 0.006096480801, atol=1e-12)
    assert_allclose(found["strength"], 20.352895061831, rtol=1e-11)
    assert_allclose(found["shrunk_rate"], [0.884422458838, 0.758881249960, 0.878676153772, 0.830360430889], atol=1e-12)


def test_against_sums_of_squares_of_the_outcomes(evaluate, random):
    """tau2 solves E[between sum of squares] = observed, for outcomes of variance m(1 - m) around their model's rate."""
    rows, expected = [], []
    for task_type in range(1000):
        models = random.integers(2, 7)
        trials = random.integers(1, 200, models)
        successes = random.binomial(trials, random.beta(5, 2, models))
        outcomes = np.concatenate([np.repeat([1, 0], [k, n - k]) for k, n in zip(successes, trials, strict=True)])
        fitted = np.repeat(successes / trials, trials)
        between = ((fitted - outcomes.mean()) ** 2).sum()
        chance = (models - 1) * outcomes.var()
        share = trials / trials.sum()
        per_variance = (trials * (1 - share)).sum() - (models - 1)
        variance = (between - chance) / per_variance if per_variance > 0 else np.nan
        strength = outcomes.var() / variance - 1 if variance > 1e-15 else 1e4
        strength = 20 if np.isnan(variance) else np.clip(strength, 1, 1e4)
        for k, n in zip(successes, trials, strict=True):
            rows.append((task_type, int(k), int(n)))
            expected.append((variance, strength, (k + strength * outcomes.mean()) / (n + strength)))
    names = ("task_type", "successes", "trials")
    found = evaluate("shrinkage", **dict(zip(names, zip(*rows, strict=True), strict=True)))
    variance, strength, shrunk_rate = np.array(expected).T
    assert_allclose(found["variance"], variance, rtol=1e-9, atol=1e-12)
    assert_allclose(found["strength"], strength, rtol=1e-6)
    assert_allclose(found["shrunk_rate"], shrunk_rate, rtol=1e-9)
    assert (strength == 1e4).any()
    assert (strength == 1).any()


def test_the_edges(evaluate):
    cases = {
        "one model": (1, [(9, 10)]),
        "ten of ten beside none of ten": (2, [(10, 10), (0, 10)]),
        "all succeeded": (3, [(5, 5), (8, 8)]),
        "all failed": (4, [(0, 5), (0, 8)]),
        "one trial each": (5, [(1, 1), (0, 1)]),
        "no trials": (6, [(0, 0)]),
        "one model without trials": (7, [(4, 8), (0, 0)]),
    }
    rows = [(task_type, k, n) for task_type, cells in cases.values() for k, n in cells]
    task_type, successes, trials = zip(*rows, strict=True)
    found = evaluate("shrinkage", task_type=task_type, successes=successes, trials=trials)
    assert_array_equal(found["strength"], [2, 1, 1, 1e4, 1e4, 1e4, 1e4, 20, 20, np.nan, 2, 2])
    rates = [0.9, 10.5 / 11, 0.5 / 11, 1, 1, 0, 0, 11 / 21, 10 / 21, np.nan, 0.5, np.nan]
    assert_allclose(found["shrunk_rate"], rates, atol=1e-12)

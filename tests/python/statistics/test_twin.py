"""The NumPy twin that the benchmarks simulate with is the project's SQL."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from benchmarks import twin


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

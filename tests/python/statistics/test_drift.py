"""The CUSUM against its recursion, its increments and the p-chart against scipy's binomial."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats


def test_golden_alarm(evaluate):
    """17 of 20 a day, 14 of 20 from day 20 on: the statistic first reaches 5 on day 23."""
    successes = np.repeat([17, 14], [20, 20])
    found = evaluate("drift", cell=[1] * 40, successes=successes, trials=[20] * 40, baseline=[0.85] * 40)
    assert np.argmax(found["cusum"] >= 5) == 23
    assert_array_equal(found["cusum"][:20], np.zeros(20))


def test_increments_and_control_limits_against_the_binomial(evaluate, random):
    trials = random.integers(0, 500, 1000)
    baseline = random.uniform(0.02, 0.99, 1000)
    successes = random.binomial(trials, np.clip(baseline + random.choice([0, -0.2], 1000), 0, 1))
    found = evaluate("drift", cell=np.arange(1000), successes=successes, trials=trials, baseline=baseline)
    monitored = baseline - 0.10 >= 0.01
    fallen = np.where(monitored, baseline - 0.10, 0.5)
    ratio = stats.binom.logpmf(successes, trials, fallen) - stats.binom.logpmf(successes, trials, baseline)
    assert_array_equal(found["is_monitored"], monitored)
    assert_allclose(found["increment"], np.where(monitored, ratio, 0), rtol=1e-9, atol=1e-9)
    outside = np.abs(successes - stats.binom.mean(trials, baseline)) > 3 * stats.binom.std(trials, baseline)
    assert_array_equal(found["is_outside"], outside & (trials > 0))
    assert 0.1 < outside.mean() < 0.9


def test_the_running_form_equals_the_recursion(evaluate, random):
    successes = random.binomial(20, 0.82, (10, 100))
    cell = np.repeat(np.arange(10), 100)
    found = evaluate("drift", cell=cell, successes=successes.ravel(), trials=[20] * 1000, baseline=[0.9] * 1000)
    expected = np.zeros((10, 100))
    height = np.zeros(10)
    for day in range(100):
        height = np.maximum(0, height + found["increment"].reshape(10, 100)[:, day])
        expected[:, day] = height
    assert_allclose(found["cusum"].reshape(10, 100), expected, atol=1e-9)
    assert (expected == 0).any()
    assert (expected > 5).any()


def test_days_that_cannot_be_judged_add_nothing(evaluate):
    found = evaluate(
        "drift",
        cell=[1] * 6,
        successes=[0, 0, 5, 0, 0, 5],
        trials=[0, None, 5, 5, 5, 5],
        baseline=[0.9, 0.9, None, 0.05, 1, 1],
    )
    assert_array_equal(found["increment"], np.zeros(6))
    assert_array_equal(found["cusum"], np.zeros(6))
    assert_array_equal(found["is_monitored"], [1, 1, 0, 0, 1, 1])


def test_baselines_need_trials_and_stay_off_the_ends(evaluate):
    found = evaluate("baselines", successes=[0, 29, 30, 0, 24], trials=[0, 29, 30, 30, 30])
    assert_allclose(found["baseline"], [np.nan, np.nan, 0.99, 0.02, 0.8])
    assert_allclose(found["threshold"], [np.nan, *np.log(365 * np.array([29, 30, 30, 30]))])

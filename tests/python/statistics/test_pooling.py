"""The random-effects pool against statsmodels, the logits against scipy."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special
from statsmodels.stats.meta_analysis import combine_effects


def inputs(successes, trials, task_type=None, noise_variance=0):
    return {
        "task_type": np.ones(len(trials), dtype=int) if task_type is None else task_type,
        "successes": successes,
        "trials": trials,
        "noise_variance": np.full(len(trials), noise_variance),
    }


def test_golden_figures(evaluate):
    found = evaluate("pooling", **inputs([45, 150, 440], [50, 200, 500]))
    names = ("heterogeneity", "between_variance", "pooled_log_odds", "pooled_error", "pooled_rate")
    figures = (18.794441396694, 0.327674229923, 1.684642365098, 0.362936524845, 0.843518278652)
    for name, figure in zip(names, figures, strict=True):
        assert_allclose(found[name], figure, atol=1e-11, err_msg=name)


def test_log_odds_against_scipy(evaluate, counts):
    successes, trials = counts
    found = evaluate("pooling", **inputs(successes, trials))
    assert_allclose(found["log_odds"], special.logit((successes + 0.5) / (trials + 1)), rtol=1e-9, atol=1e-9)
    assert_allclose(found["variance"], 1 / (successes + 0.5) + 1 / (trials - successes + 0.5), rtol=1e-12)
    assert_allclose(found["pooled_rate"], special.expit(found["pooled_log_odds"]), rtol=1e-12)


def test_noise_adds_its_variance_by_the_slope_of_the_logarithms(evaluate):
    found = evaluate("pooling", **inputs([45, -3, 12], [50, 9, 10], noise_variance=8))
    step = 1e-5
    for won, lost, log_odds, added in zip(
        [45, 0, 12], [5, 12, 0], found["log_odds"], found["noisy_variance"] - found["variance"], strict=True
    ):
        assert log_odds == pytest.approx(np.log((won + 0.5) / (lost + 0.5)))
        slopes = [(np.log(count + 0.5 + step) - np.log(count + 0.5 - step)) / (2 * step) for count in (won, lost)]
        assert added == pytest.approx(8 * np.sum(np.square(slopes)), rel=1e-6)


def test_against_statsmodels(evaluate, random):
    sizes = random.integers(2, 9, 1000)
    task_type = np.repeat(np.arange(1000), sizes)
    trials = random.integers(1, 500, len(task_type))
    spread = np.repeat(random.choice([0, 0.8], 1000), sizes)
    successes = random.binomial(trials, special.expit(random.normal(1, spread)))
    found = evaluate("pooling", **inputs(successes, trials, task_type))
    effect = special.logit((successes + 0.5) / (trials + 1))
    variance = 1 / (successes + 0.5) + 1 / (trials - successes + 0.5)
    expected = []
    for name, size in enumerate(sizes):
        cells = task_type == name
        with np.errstate(invalid="ignore"):  # it takes roots of a negative tau2
            reference = combine_effects(effect[cells], variance[cells], method_re="chi2")
        between = max(0, reference.tau2)
        weights = 1 / (variance[cells] + between)
        mean, error = np.average(effect[cells], weights=weights), weights.sum() ** -0.5
        if reference.tau2 > 0:
            assert (mean, error) == pytest.approx((reference.mean_effect_re, reference.sd_eff_w_re), rel=1e-9)
        rate = special.expit(mean)
        strength = np.clip(1 / ((between + error**2) * rate * (1 - rate)) - 1, 1, 20)
        expected += [(reference.q, between, max(0, reference.i2), mean, error, rate, strength)] * size
    names = (
        *("heterogeneity", "between_variance", "i_squared", "pooled_log_odds", "pooled_error", "pooled_rate"),
        "prior_strength",
    )
    for column, figures in zip(names, np.array(expected).T, strict=True):
        assert_allclose(found[column], figures, rtol=1e-9, atol=1e-9, err_msg=column)
    assert (found["between_variance"] == 0).any()
    assert (found["between_variance"] > 0).any()
    assert (found["prior_strength"] < 20).any()
    assert (found["prior_strength"] == 20).any()


def test_one_project_and_equal_projects_do_not_differ(evaluate):
    found = evaluate("pooling", **inputs([45, 5, 5], [50, 10, 10], task_type=[1, 2, 2]))
    assert_array_equal([found["between_variance"], found["i_squared"]], np.zeros((2, 3)))
    assert_allclose(found["pooled_rate"], [45.5 / 51, 0.5, 0.5])


def test_a_cell_without_trials_has_no_part_in_the_pool(evaluate):
    found = evaluate("pooling", **inputs([0, 45, 150, 440, 0], [0, 50, 200, 500, 0], task_type=[1, 1, 1, 1, 2]))
    assert np.isnan(found["log_odds"][[0, 4]]).all()
    assert_allclose(found["between_variance"][:4], 0.327674229923, atol=1e-11)
    assert_allclose(found["pooled_rate"], [0.843518278652] * 4 + [np.nan], atol=1e-11)


def test_all_and_nothing_have_log_odds_too(evaluate):
    found = evaluate("pooling", **inputs([10, 0], [10, 10]))
    assert_allclose(found["log_odds"], [np.log(21), -np.log(21)])

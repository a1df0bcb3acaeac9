"""The pool of projects against statsmodels' weighted least squares; the variance between projects against sums of
squares of the single outcomes."""

import numpy as np
import pytest
import statsmodels.api as sm
from numpy.testing import assert_allclose
from scipy import special, stats
from statsmodels.stats.proportion import proportion_confint


def inputs(successes, trials, task_type=None, noise_variance=0):
    return {
        "task_type": np.ones(len(trials), dtype=int) if task_type is None else task_type,
        "successes": successes,
        "trials": trials,
        "noise_variance": np.full(len(trials), float(noise_variance)),
    }


@pytest.mark.parametrize(
    ("cells", "figures"),
    [
        (
            [(45, 50), (150, 200), (440, 500)],
            (0.006444196151, 0.839788925582, 0.049952703616, 0.514792872286, 0.962821166325),
        ),
        (
            [(14, 15), (18, 20), (10, 10), (19, 20), (11, 12)],
            (0, 0.935064935065, 0.028081167668, 0.799500348077, 0.981132783311),
        ),
    ],
)
def test_golden_figures(evaluate, cells, figures):
    found = evaluate("pooling", **inputs(*zip(*cells, strict=True)))
    names = ("tau_squared", "pooled_success_rate", "pooled_error", "pooled_success_rate_lower",
             "pooled_success_rate_upper")  # fmt: skip
    assert_allclose([found[name][0] for name in names], figures, rtol=0, atol=1e-11)


def between(successes, trials):
    """Return the tau2 at which the expected sum of squares between projects is the observed one."""
    outcomes = np.concatenate([np.repeat([1, 0], [k, n - k]) for k, n in zip(successes, trials, strict=True)])
    fitted = np.repeat(successes / trials, trials)
    share = trials / trials.sum()
    per_variance = (trials * (1 - share)).sum() - (len(trials) - 1)
    excess = ((fitted - outcomes.mean()) ** 2).sum() - (len(trials) - 1) * outcomes.var()
    return max(0.0, excess / per_variance) if per_variance > 1e-9 else 0.0


def test_against_statsmodels(evaluate, random):
    sizes = random.integers(2, 9, 1000)
    task_type = np.repeat(np.arange(1000), sizes)
    trials = random.integers(1, 300, len(task_type))
    spread = np.repeat(random.choice([0, 0.8], 1000), sizes)
    successes = random.binomial(trials, special.expit(random.normal(1, spread)))
    found = evaluate("pooling", **inputs(successes, trials, task_type))
    names = ("tau_squared", "pooled_success_rate", "pooled_error", "pooled_success_rate_lower",
             "pooled_success_rate_upper", "new_project_success_rate_lower", "new_project_success_rate_upper",
             "i_squared", "prior_strength", "effective_trials")  # fmt: skip
    expected = []
    for name in range(1000):
        k, n = successes[task_type == name], trials[task_type == name]
        m, rates, projects = k.sum() / n.sum(), k / n, len(n)
        assert 0 < m < 1
        tau_squared = between(k, n)
        fit = sm.WLS(rates, np.ones(projects), weights=1 / (tau_squared + m * (1 - m) / n)).fit(cov_type="HC1")
        rate = fit.params[0]
        error = max(fit.bse[0], np.sqrt(1 / np.sum(1 / (tau_squared + m * (1 - m) / n))))
        steps = np.array([error, np.sqrt(error**2 + tau_squared)]) * stats.t.isf(0.025, projects - 1)
        ends = special.expit(special.logit(rate) + np.outer(steps, [-1, 1]) / (rate * (1 - rate)))
        chi_squared = (n * (rates - m) ** 2).sum() / (m * (1 - m))
        i_squared = max(0, 1 - (projects - 1) / chi_squared) if chi_squared > 0 else 0
        strength = np.clip(rate * (1 - rate) / (tau_squared + error**2) - 1, 1, 20)
        expected.append((tau_squared, rate, error, *ends.ravel(), i_squared, strength, n.sum()))
    for column, figures in zip(names, np.array(expected).T, strict=True):
        assert_allclose(found[column], figures, rtol=1e-9, atol=1e-9, err_msg=column)
    for column in ("tau_squared", "i_squared"):
        assert (found[column] == 0).any()
        assert (found[column] > 0).any()
    assert (found["prior_strength"] < 20).any()
    assert (found["prior_strength"] == 20).any()


def test_noise_widens_the_errors_and_is_no_difference_between_projects(evaluate):
    """With noise in both counts, k/n varies by the squared slopes of k/(k + f), taken numerically."""
    variance, m = 50.0, 635 / 750
    successes, trials = np.array([45, 150, 440]), np.array([50, 200, 500])
    found = evaluate("pooling", **inputs(successes, trials, noise_variance=variance))
    step, won, lost = 1e-4, m * trials, (1 - m) * trials
    slopes = [
        (((won + up) / (won + up + lost + down)) - ((won - up) / (won - up + lost - down))) / (2 * step)
        for up, down in ((step, 0), (0, step))
    ]
    noise = variance * (slopes[0] ** 2 + slopes[1] ** 2)
    share = trials / trials.sum()
    per_variance = (trials * (1 - share)).sum() - 2
    tau_squared = between(successes, trials) - (trials * (1 - share) * noise).sum() / per_variance
    weights = 1 / (tau_squared + m * (1 - m) / trials + noise)
    assert tau_squared > 0
    assert found["tau_squared"][0] == pytest.approx(tau_squared, rel=1e-6)
    assert found["pooled_success_rate"][0] == pytest.approx(np.average(successes / trials, weights=weights), rel=1e-6)
    assert found["effective_trials"][0] == pytest.approx((m * (1 - m) / (m * (1 - m) / trials + noise)).sum(), rel=1e-6)


def test_one_project_has_its_own_wilson_interval(evaluate):
    found = evaluate("pooling", **inputs([45, 0, 10], [50, 9, 10], task_type=[1, 2, 3]))
    lower, upper = proportion_confint([45, 0, 10], [50, 9, 10], method="wilson")
    assert_allclose(found["pooled_success_rate"], [0.9, 0, 1], rtol=1e-12)
    assert_allclose(found["pooled_success_rate_lower"], lower, atol=1e-12)
    assert_allclose(found["pooled_success_rate_upper"], upper, atol=1e-12)
    assert_allclose([found["tau_squared"], found["i_squared"]], 0)
    assert np.isnan(found["new_project_success_rate_lower"]).all()
    assert np.isnan(found["new_project_success_rate_upper"]).all()


def test_noise_widens_the_interval_of_one_project(evaluate):
    """Wilson's, of so many exact trials as vary like the noisy ones."""
    found = evaluate("pooling", **inputs([45], [50], noise_variance=8))
    effective = 0.09 / (0.09 / 50 + 8 * (0.81 + 0.01) / 2500)
    lower, upper = proportion_confint(0.9 * effective, effective, method="wilson")
    assert_allclose([found["pooled_success_rate_lower"][0], found["pooled_success_rate_upper"][0]], [lower, upper])


def test_if_all_trials_ended_alike_the_interval_is_wilsons_with_the_t_quantile(evaluate):
    found = evaluate("pooling", **inputs([10, 20, 0, 0, 0], [10, 20, 10, 20, 30], task_type=[1, 1, 2, 2, 2]))
    for row, (rate, projects, trials) in enumerate([(1, 2, 30), (0, 3, 60)]):
        level = 2 * stats.norm.sf(stats.t.isf(0.025, projects - 1))
        expected = proportion_confint(rate * trials, trials, alpha=level, method="wilson")
        for name in ("pooled_success_rate", "new_project_success_rate"):
            assert_allclose([found[f"{name}_lower"][row], found[f"{name}_upper"][row]], expected, atol=1e-12)
        assert found["pooled_success_rate"][row] == rate
        assert found["tau_squared"][row] == 0
        assert found["prior_strength"][row] == 20


def test_equal_projects_do_not_differ(evaluate):
    found = evaluate("pooling", **inputs([5, 5], [10, 10]))
    names = ("tau_squared", "i_squared", "pooled_success_rate")
    assert_allclose([found[name][0] for name in names], [0, 0, 0.5])


def test_projects_with_one_trial_each_are_pooled(evaluate):
    """They say nothing of the variance between projects, so it is 0."""
    found = evaluate("pooling", **inputs([1, 0], [1, 1]))
    assert found["tau_squared"][0] == 0
    assert found["pooled_error"][0] == pytest.approx(0.5)


def test_a_cell_without_trials_has_no_part_in_the_pool(evaluate):
    found = evaluate("pooling", **inputs([0, 45, 150, 440, 0], [0, 50, 200, 500, 0], task_type=[1, 1, 1, 1, 2]))
    assert_allclose(found["projects"], [3])
    assert_allclose(found["pooled_success_rate"], [0.839788925582], atol=1e-11)


def test_counts_that_noise_made_negative_count_as_0(evaluate):
    found = evaluate("pooling", **inputs([-3, 45, -2], [9, 50, -4], noise_variance=8))
    exact = evaluate("pooling", **inputs([0, 45], [12, 50], noise_variance=8))
    assert_allclose(found["projects"], [2])
    assert_allclose(found["pooled_success_rate"], exact["pooled_success_rate"])

"""The pieces of the grid posterior against scipy, and the whole of it against quadrature."""

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, special, stats


@pytest.fixture
def pieces(evaluate, counts, random):
    """Return 1,000 posteriors, and the macros' results for them."""
    successes, trials = counts
    given = {
        "successes": successes + random.uniform(0.01, 200, 1000),
        "failures": trials - successes + random.uniform(0.01, 200, 1000),
        "rate": random.uniform(0.001, 0.999, 1000),
        "prior_rate": random.uniform(0, 1, 1000),
        "all_trials": trials,
        "strength": 10 ** random.uniform(0, 4, 1000),
    }
    return given, evaluate("posterior", **given)


def test_the_deviation_is_that_of_a_beta_posterior(pieces):
    given, found = pieces
    assert_allclose(found["deviation"], stats.beta.std(given["successes"], given["failures"]), rtol=1e-9)


def test_the_density_is_that_of_a_beta_posterior(pieces):
    given, found = pieces
    a, b = given["successes"], given["failures"]
    assert_allclose(
        found["log_density"], stats.beta.logpdf(given["rate"], a, b) + special.betaln(a, b), rtol=1e-9, atol=1e-6
    )


def test_a_prior_counts_as_200_trials_at_most_and_is_never_certain(pieces):
    given, found = pieces
    prior = np.clip(given["prior_rate"], 0.5 / given["all_trials"], 1 - 0.5 / given["all_trials"])
    expected = given["successes"] + np.clip(given["strength"], 0, 200) * prior
    assert_allclose(found["posterior_successes"], expected, rtol=1e-12)


def test_the_integral_of_a_power(pieces):
    given, found = pieces
    is_moderate = given["successes"] < 50
    expected = [
        integrate.quad(lambda x, a=a: x ** (a - 1), rate, 1, epsabs=0, epsrel=1e-12)[0]
        for a, rate in zip(given["successes"][is_moderate], given["rate"][is_moderate], strict=True)
    ]
    assert_allclose(found["power_integral"][is_moderate], expected, rtol=1e-9)


def test_edges_are_floored(evaluate):
    rates = {"prior_rate": [1, 0, 0.5, 1], "all_trials": [10, 10, 10, 0], "strength": [1e4, 100, 2, 2]}
    found = evaluate("posterior", successes=[9, 3, 2, 1], failures=[1, 1, 1, 1], rate=[0.5, 0, 1, None], **rates)
    assert_array_equal(found["posterior_successes"], [9 + 190, 3 + 5, 3, 3])
    assert_allclose(found["log_probability"], [np.log(0.5), np.log(1e-300), 0, np.nan])
    assert found["power_integral"][1] == pytest.approx(1 / 3)


def posteriors(successes, trials):
    """Return the parameters of every rate's Beta posterior. The prior's moments come from the single outcomes."""
    k, n = np.array(successes), np.array(trials)
    outcomes = np.concatenate([np.repeat([1, 0], [won, tried - won]) for won, tried in zip(k, n, strict=True)])
    mean = np.clip(outcomes.mean(), 0.5 / n.sum(), 1 - 0.5 / n.sum())
    between = ((np.repeat(k / n, n) - outcomes.mean()) ** 2).sum() - (len(n) - 1) * outcomes.var()
    per_variance = (n * (1 - n / n.sum())).sum() - (len(n) - 1)
    strength = 20.0
    if len(n) == 1:
        mean, strength = 0.5, 2.0
    elif per_variance > 0:
        strength = outcomes.var() / (between / per_variance) - 1 if between > 1e-9 else 200.0
    strength = np.clip(strength, 1, 200)
    return k + strength * mean, n - k + strength * (1 - mean)


def quadrature(successes, trials):
    """Return P(each is the best), every rate an independent Beta posterior: an integral over the log odds, where all
    densities are bounded and smooth."""
    a, b = posteriors(successes, trials)
    middle = special.digamma(a) - special.digamma(b)
    deviation = np.sqrt(special.polygamma(1, a) + special.polygamma(1, b))

    def chance(best):
        def density(log_odds):
            rate, failure_rate = special.expit(log_odds), special.expit(-log_odds)
            own = special.log_expit(log_odds) * a[best] + special.log_expit(-log_odds) * b[best]
            lower = np.where(rate < 0.5, special.betainc(a, b, rate), 1 - special.betainc(b, a, failure_rate))
            return np.exp(own - special.betaln(a[best], b[best])) * np.prod(np.delete(lower, best))

        ends = [middle[best] - 40 * deviation[best], middle[best] + 40 * deviation[best] + 40 / b[best]]
        points = [*middle, *(middle[best] + deviation[best] * np.array([-5, -2, 2, 5, 15]))]
        points = sorted(point for point in points if ends[0] < point < ends[1])
        return integrate.quad(density, *ends, points=points, limit=1000)[0]

    return [chance(best) for best in range(len(a))]


CASES = {
    "golden": ([45, 150, 440], [50, 200, 500]),
    "many trials": ([32000, 32400], [40000, 40000]),
    "apart": ([0, 10, 5], [10, 10, 10]),
    "alone": ([7], [9]),
    "close": ([95, 700, 1], [100, 1000, 3]),
    "sharp and broad": ([0, 15, 450], [5, 20, 500]),
    "all or nothing": ([5] * 9 + [0], [5] * 10),
    "two groups": ([10] * 12 + [0] * 2, [10] * 14),
    "all succeeded": ([5, 8, 10], [5, 8, 10]),
    "all failed": ([0, 0, 0], [5, 6, 5]),
    "nearly all succeeded": ([5, 3, 4, 90], [5, 3, 4, 91]),
    "one trial each": ([1, 0], [1, 1]),
    "thirty equal": ([5] * 30, [6] * 30),
}


def compare(evaluate, cases, atol):
    task_type = [name for name, (successes, _) in cases.items() for _ in successes]
    successes, trials = (np.concatenate([case[part] for case in cases.values()]) for part in (0, 1))
    found = evaluate("probability_best", task_type=task_type, successes=successes, trials=trials)["probability_best"]
    expected = np.concatenate([quadrature(*case) for case in cases.values()])
    assert_allclose(found, expected, rtol=0, atol=atol)
    return dict(zip(cases, np.split(found, np.cumsum([len(case[0]) for case in cases.values()])[:-1]), strict=True))


def test_probability_best(evaluate):
    found = compare(evaluate, CASES, 1e-5)
    assert_allclose(found["alone"], [1], rtol=1e-12)
    assert_allclose(found["thirty equal"], 1 / 30, rtol=1e-9)


def test_probability_best_of_random_models(evaluate, random):
    cases = {}
    for name in range(150):
        trials = np.floor(10 ** random.uniform(0.5, 4, random.integers(2, 12))).astype(int)
        cases[name] = (random.binomial(trials, random.beta(8, 2, len(trials))), trials)
    for probabilities in compare(evaluate, cases, 1e-4).values():
        assert probabilities.sum() == pytest.approx(1, abs=1e-12)


def test_a_singular_posterior_beside_a_sharp_one(evaluate):
    """Without a failure, and with a prior of nearly 1, most of a posterior lies within one step of the grid."""
    cases = {"a": ([10, 1000], [10, 1000]), "b": ([2, 435, 471, 49], [12, 506, 1413, 58]), "c": ([999, 30], [1000, 30])}
    compare(evaluate, cases, 2e-3)

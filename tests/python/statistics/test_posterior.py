"""The pieces of the grid posterior against scipy, and the whole of it against quadrature."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, special, stats


def test_the_deviation_is_that_of_a_beta_posterior(evaluate, counts):
    successes, trials = counts
    found = evaluate("posterior", successes=successes, trials=trials, rate=np.full(1000, 0.5))
    assert_allclose(found["deviation"], stats.beta.std(successes + 1, trials - successes + 1), rtol=1e-9)


def test_the_likelihood_is_the_binomial_one(evaluate, counts, random):
    successes, trials = counts
    rate = random.uniform(0.001, 0.999, 1000)
    found = evaluate("posterior", successes=successes, trials=trials, rate=rate)
    arrangements = (
        special.gammaln(trials + 1) - special.gammaln(successes + 1) - special.gammaln(trials - successes + 1)
    )
    assert_allclose(
        found["log_likelihood"], stats.binom.logpmf(successes, trials, rate) - arrangements, rtol=1e-9, atol=1e-6
    )


def test_edges_are_null_or_floored(evaluate):
    found = evaluate("posterior", successes=[0, 0, 1, 0], trials=[0, 1, 1, 3], rate=[0.5, 0, 1, None])
    assert_array_equal(found["deviation"][:1], [np.nan])
    assert_array_equal(found["log_likelihood"], [0, np.nan, np.nan, np.nan])
    assert_allclose(found["log_probability"], [np.log(0.5), np.log(1e-300), 0, np.nan])


def quadrature(successes, trials):
    """P(each is the best), every rate an independent Beta posterior."""
    posteriors = [stats.beta(k + 1, n - k + 1) for k, n in zip(successes, trials, strict=True)]
    middles = [posterior.mean() for posterior in posteriors]

    def chance(best):
        rivals = [posterior for posterior in posteriors if posterior is not best]
        return integrate.quad(
            lambda x: best.pdf(x) * np.prod([rival.cdf(x) for rival in rivals]), 0, 1, points=middles, limit=500
        )[0]

    return [chance(posterior) for posterior in posteriors]


def test_probability_best(evaluate):
    cases = {
        1: ([45, 150, 440], [50, 200, 500]),
        2: ([32000, 32400], [40000, 40000]),
        3: ([0, 10, 5], [10, 10, 10]),
        4: ([7], [9]),
        5: ([95, 700, 1], [100, 1000, 3]),
        6: ([0, 15, 450], [5, 20, 500]),
    }
    task_type = [name for name, (successes, _) in cases.items() for _ in successes]
    successes, trials = (np.concatenate([case[part] for case in cases.values()]) for part in (0, 1))
    found = evaluate("probability_best", task_type=task_type, successes=successes, trials=trials)["probability_best"]
    assert_allclose(found[:3], [0.589063126, 3.2025e-06, 0.410933671], atol=1e-5)
    assert_allclose(found[4], 0.9998, atol=5e-5)
    assert_allclose(found, np.concatenate([quadrature(*case) for case in cases.values()]), atol=1e-5)

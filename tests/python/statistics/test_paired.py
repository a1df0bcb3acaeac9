"""The paired table against statsmodels, and its interval against the differences written out."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from statsmodels.stats.contingency_tables import mcnemar


def random_tables(random):
    pairs = random.integers(1, 400, 1000)
    return np.array([random.multinomial(n, random.dirichlet([3, 1, 1, 2])) for n in pairs])


def test_mcnemar_against_statsmodels(evaluate, random):
    both, only_incumbent, only_challenger, neither = random_tables(random).T
    found = evaluate("paired", pairs=both, only_incumbent=only_incumbent, only_challenger=only_challenger)["mcnemar"]
    differ = only_incumbent + only_challenger > 0
    expected = [
        mcnemar([[a, b], [c, d]], exact=False, correction=False).statistic
        for a, b, c, d in zip(
            both[differ], only_incumbent[differ], only_challenger[differ], neither[differ], strict=True
        )
    ]
    assert_allclose(found[differ], expected, atol=1e-12)
    assert not differ.all()
    assert np.isnan(found[~differ]).all()


def test_the_paired_variance_is_that_of_the_differences_with_one_of_either_sign_added(evaluate, random):
    tables = random_tables(random)
    one_sided = (tables[:, [0, 3]].sum(axis=1) == 0) & (tables[:, [1, 2]].min(axis=1) == 0)
    tables = tables[~one_sided]
    pairs, (_, only_incumbent, only_challenger, _) = tables.sum(axis=1), tables.T
    found = evaluate("paired", pairs=pairs, only_incumbent=only_incumbent, only_challenger=only_challenger)
    expected = []
    for table in tables:
        differences = np.repeat([0, -1, 1, 0], table)
        padded = np.append(differences, [-1, 1])
        expected.append(((padded**2).mean() - differences.mean() ** 2) / len(differences))
    assert_allclose(found["squared_error"], expected, rtol=1e-9)


def test_the_clearest_evidence_has_an_interval(evaluate):
    """Every pair for one arm: the formula's variance is 0, the bound 1/(n + 2) is below what one tie more leaves."""
    found = evaluate("paired", pairs=[40, 40, 40], only_incumbent=[0, 40, 0], only_challenger=[40, 0, 39])
    assert_allclose(found["squared_error"][:2], 1 / 42 / 40)
    assert found["squared_error"][2] > found["squared_error"][0]
    assert (found["half_width"] < 1).all()


def test_no_pairs_mean_null(evaluate):
    found = evaluate("paired", pairs=[0, None], only_incumbent=[0, None], only_challenger=[0, None])
    assert_array_equal([found["mcnemar"], found["squared_error"], found["half_width"]], np.full((3, 2), np.nan))

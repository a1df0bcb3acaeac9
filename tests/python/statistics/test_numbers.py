"""The arithmetic under every formula."""

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal


def test_integers_divide_to_doubles_and_by_zero_to_null(evaluate):
    assert_array_equal(evaluate("numbers", a=[7, 7, None], b=[2, 0, 2])["a_by_b"], [3.5, np.nan, np.nan])


def test_bounds_let_null_through(evaluate):
    found = evaluate("numbers", a=[1, 2, 3, None], b=[1, 1, 1, 1])
    assert_array_equal(found["two_or_more"], [2, 2, 3, np.nan])
    assert_array_equal(found["two_or_less"], [1, 2, 2, np.nan])


def test_exp_is_bounded_where_engines_disagree(evaluate):
    found = evaluate("numbers", a=[-1e9, -1, 0, 1, 709, 1e9, None], b=[1] * 7)["bounded"]
    assert_allclose(found, [np.exp(-300), np.exp(-1), 1, np.e, np.exp(700), np.exp(700), np.nan], rtol=1e-12)

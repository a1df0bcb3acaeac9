"""The quantiles against scipy, Wilson and Newcombe against statsmodels."""

import sqlite3
from pathlib import Path

import jinja2
import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

ROOT = Path(__file__).resolve().parents[3]


def quantiles(alpha):
    """Return the macros z and t_quantile for this alpha."""
    rates = ROOT / "macros" / "statistics" / "rates"
    names = {"var": {"alpha": alpha}.get, "double": "cast({} as real)".format}
    environment = jinja2.Environment(extensions=["jinja2.ext.do"])
    source = (rates / "z.sql").read_text() + (rates / "t_quantile.sql").read_text()
    return environment.from_string(source, globals=names).module


def z(alpha):
    return quantiles(alpha).z()


def t(alpha, degrees):
    """Return the quantiles that SQLite computes."""
    with sqlite3.connect(":memory:") as connection:
        connection.execute("create table inputs (degrees integer)")
        connection.executemany("insert into inputs values (?)", [(int(number),) for number in degrees])
        rows = connection.execute(f"select {quantiles(alpha).t_quantile('degrees')} from inputs")
        return np.array([value for (value,) in rows], dtype=float)


DEGREES = [*range(1, 3000), 10**4, 10**5, 10**5 + 1, 10**6, 10**7, 10**9]


def test_z_is_the_quantile_of_the_shipped_alpha(project_vars):
    assert z(project_vars["alpha"]) == "1.959963984540054"


@pytest.mark.parametrize("alpha", [0.5, 0.32, 0.2, 0.15, 0.1499, 0.1, 0.05, 0.01, 1e-3, 1e-6, 1e-9])
def test_z_is_the_quantile_of_any_alpha(alpha):
    assert float(z(alpha)) == pytest.approx(stats.norm.isf(alpha / 2), abs=1e-15)


def test_t_golden_figure(project_vars):
    assert t(project_vars["alpha"], [2, 6]) == pytest.approx([4.30265273, 2.446911851], abs=1e-9)


@pytest.mark.parametrize("alpha", [0.5, 0.32, 0.2, 0.1, 0.05, 0.01, 1e-3, 1e-4, 1e-5])
def test_t_is_the_quantile_of_any_alpha(alpha):
    assert_allclose(t(alpha, DEGREES), stats.t.isf(alpha / 2, DEGREES), rtol=1e-9)


@pytest.mark.parametrize("alpha", [1e-6, 1e-7, 1e-9])
def test_t_is_less_exact_for_tiny_alpha(alpha):
    assert_allclose(t(alpha, DEGREES), stats.t.isf(alpha / 2, DEGREES), rtol=1e-7)


def test_t_is_null_below_one_degree_of_freedom():
    assert np.isnan(t(0.05, [0, -1])).all()


def test_wilson_golden_figures(evaluate):
    found = evaluate("rates", successes=[45, 412, 0, 10, 17], trials=[50, 500, 10, 10, 20])
    assert_allclose(
        found["lower_bound"], [0.786397685625, 0.788185828711, 0, 0.722467200137, 0.639581135259], atol=1e-12
    )
    assert_allclose(
        found["upper_bound"], [0.956524235068, 0.854873598670, 0.277532799863, 1, 0.947631254104], atol=1e-12
    )


def test_wilson_is_exact_at_the_ends_and_null_without_trials(evaluate):
    found = evaluate("rates", successes=[0, 0, 1, 10**6, None], trials=[0, 1, 1, 10**6, None])
    assert_array_equal(found["lower_bound"][[0, 1, 4]], [np.nan, 0, np.nan])
    assert_array_equal(found["upper_bound"][[0, 2, 3, 4]], [np.nan, 1, 1, np.nan])


def test_wilson_against_statsmodels(evaluate, counts):
    successes, trials = counts
    found = evaluate("rates", successes=successes, trials=trials)
    lower, upper = proportion_confint(successes, trials, method="wilson")
    assert_allclose(found["lower_bound"], lower, atol=1e-12)
    assert_allclose(found["upper_bound"], upper, atol=1e-12)


def test_newcombe_golden_figures(evaluate):
    found = evaluate(
        "newcombe",
        incumbent_successes=[38, 300, 48, 0],
        incumbent_trials=[50, 400, 80, 20],
        challenger_successes=[45, 170, 56, 10],
        challenger_trials=[50, 200, 70, 10],
    )
    assert_allclose(found["lower_bound"], [-0.009397279766, 0.031181855478, 0.052431472402, 0.679086037142], atol=1e-12)
    assert_allclose(found["upper_bound"], [0.285550670590, 0.161914248941, 0.333872654037, 1], atol=1e-12)


def test_newcombe_is_null_where_an_arm_has_no_trials(evaluate):
    found = evaluate(
        "newcombe",
        incumbent_successes=[0, 3],
        incumbent_trials=[0, 5],
        challenger_successes=[3, 0],
        challenger_trials=[5, 0],
    )
    assert np.isnan([found["lower_bound"], found["upper_bound"]]).all()


def test_newcombe_against_statsmodels(evaluate, counts):
    successes, trials = counts
    incumbent, challenger = (successes[:500], trials[:500]), (successes[500:], trials[500:])
    found = evaluate(
        "newcombe",
        incumbent_successes=np.r_[incumbent[0], challenger[0]],
        incumbent_trials=np.r_[incumbent[1], challenger[1]],
        challenger_successes=np.r_[challenger[0], incumbent[0]],
        challenger_trials=np.r_[challenger[1], incumbent[1]],
    )
    expected = np.array(
        [
            confint_proportions_2indep(*treated, *control, method="newcomb", compare="diff")
            for treated, control in [
                *zip(zip(*challenger, strict=True), zip(*incumbent, strict=True), strict=True),
                *zip(zip(*incumbent, strict=True), zip(*challenger, strict=True), strict=True),
            ]
        ]
    )
    assert_allclose(found["lower_bound"], expected[:, 0], atol=1e-9)
    assert_allclose(found["upper_bound"], expected[:, 1], atol=1e-9)

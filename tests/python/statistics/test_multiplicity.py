"""Adjusted p values and e-BH against statsmodels."""

import gc

import numpy as np
from numpy.testing import assert_allclose, assert_array_equal
from statsmodels.stats.multitest import multipletests


def test_golden_figures(evaluate):
    p_value = [0.205, 0.001, 0.008, 0.039, 0.041, 0.042, 0.06, 0.074]
    found = evaluate("multiplicity", task_type=[1] * 8, p_value=p_value, e_value=np.ones(8))
    adjusted = [0.205, 0.008, 0.032, 0.0672, 0.0672, 0.0672, 0.08, 0.084571428571]
    assert_allclose(found["benjamini_hochberg"], adjusted, atol=1e-12)
    assert_allclose(found["holm"], [0.234, 0.008, 0.056, 0.234, 0.234, 0.234, 0.234, 0.234], atol=1e-12)


def test_against_statsmodels(evaluate, random, monkeypatch):
    monkeypatch.setattr(gc, "collect", lambda: None)  # statsmodels calls it for each family: a minute in all
    sizes = random.integers(1, 12, 1000)
    task_type = np.repeat(np.arange(1000), sizes)
    p_value = random.beta(0.4, 1.5, len(task_type)).round(3)
    e_value = np.exp(random.normal(1, 3, len(task_type)))
    e_value[random.random(len(task_type)) < 0.2] = 0
    found = evaluate("multiplicity", task_type=task_type, p_value=p_value, e_value=e_value)
    with np.errstate(divide="ignore"):
        as_p_value = np.minimum(1, 1 / e_value)
    families = [task_type == name for name in range(1000)]
    assert_allclose(
        found["benjamini_hochberg"], np.concatenate([multipletests(p_value[f], method="fdr_bh")[1] for f in families])
    )
    assert_allclose(found["holm"], np.concatenate([multipletests(p_value[f], method="holm")[1] for f in families]))
    selected = np.concatenate([multipletests(as_p_value[f], alpha=0.05, method="fdr_bh")[0] for f in families])
    assert_array_equal(found["is_selected"], selected)
    assert 0.05 < selected.mean() < 0.95


def test_null_p_values_stay_null_and_are_not_counted(evaluate):
    found = evaluate("multiplicity", task_type=[1, 1, 1], p_value=[None, 0.02, 0.03], e_value=[None, 1e300, 0])
    assert_allclose(found["benjamini_hochberg"], [np.nan, 0.03, 0.03])
    assert_allclose(found["holm"], [np.nan, 0.04, 0.04])
    assert_array_equal(found["is_selected"], [0, 1, 0])


def test_a_family_of_one_is_left_as_it_is(evaluate):
    found = evaluate("multiplicity", task_type=[1, 2], p_value=[0.3, 1], e_value=[20, 19.99])
    assert_allclose([found["benjamini_hochberg"], found["holm"]], [[0.3, 1]] * 2)
    assert_array_equal(found["is_selected"], [1, 0])

"""Adds noise to counts: discrete Laplace of scale 1/epsilon, drawn by OpenDP (extra `privacy`)."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from model_outcomes.base.errors import expect_installed

MECHANISM = "discrete_laplace"


def noisy(counts: Sequence[int], epsilon: float) -> list[int]:
    """Return `counts` with noise that hides each outcome up to a privacy loss of `epsilon`.

    One more or one fewer outcome changes one of the counts by one (L1 sensitivity 1).
    """
    expect_installed("privacy", "opendp")
    opendp = import_module("opendp.prelude")
    opendp.enable_features("contrib")
    space = opendp.vector_domain(opendp.atom_domain(T=int)), opendp.l1_distance(T=int)
    mechanism = opendp.m.make_laplace(*space, scale=1 / epsilon)
    if mechanism.map(1) > epsilon * (1 + 1e-9):
        raise AssertionError(f"OpenDP spends {mechanism.map(1)} instead of {epsilon}")
    return [int(count) for count in mechanism(list(counts))]


def variance(epsilon: float) -> float:
    """Return the variance of the noise that one draw adds to a count."""
    return 2 / epsilon**2

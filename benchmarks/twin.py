"""The project's sequential statistics and drift alarm in NumPy, over whole arrays of runs at once.

SQL is what counts; this twin exists because 4,000 runs of 90 looks in 30 cells are too many for it.
A test holds the two equal (tests/python/statistics/test_twin.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]

ALPHA = 0.05
Z = 1.959963984540054
MIN_TRIALS = 30


@dataclass(frozen=True)
class Mode:
    """How a boundary is had: successes and failures added to each arm, and the
    trials at which it is tightest."""

    added: int
    tuning_trials: int


MODES = {"default": Mode(2, 1000), "gbstats": Mode(0, 5000)}


def tuning(tuning_trials: float, alpha: float = ALPHA) -> float:
    return float(tuning_trials / (np.log(1 - 2 * np.log(alpha)) - 2 * np.log(alpha)))


def half_width(squared_error: Array, trials: Array, tuning_trials: float) -> Array:
    """Half the anytime-valid interval. Source: Waudby-Smith et al., arXiv 2103.06476."""
    r = tuning(tuning_trials)
    return np.sqrt(squared_error * (trials + r) / trials * np.log((trials + r) / (r * ALPHA**2)))


def difference_bounds(k_a: Array, n_a: Array, k_b: Array, n_b: Array, mode: Mode) -> tuple[Array, Array]:
    """The anytime-valid interval of the challenger's rate less the incumbent's, not clipped."""
    errors = [_variance(k, n, mode) / n for k, n in ((k_a, n_a), (k_b, n_b))]
    half = half_width(errors[0] + errors[1], n_a + n_b, mode.tuning_trials)
    # An arm without variance, which only gbstats mode knows, has no interval.
    half = np.where((errors[0] > 0) & (errors[1] > 0), half, np.inf)
    difference = k_b / n_b - k_a / n_a
    return difference - half, difference + half


def _variance(k: Array, n: Array, mode: Mode) -> Array:
    return (k + mode.added) * (n - k + mode.added) / (n + 2 * mode.added) ** 2


def paired_bounds(only_a: Array, only_b: Array, pairs: Array) -> tuple[Array, Array]:
    """The anytime-valid interval of the mean per-task difference, not clipped."""
    mean = (only_b - only_a) / pairs
    variance = np.maximum((only_a + only_b + 2) / (pairs + 2) - mean**2, 1 / (pairs + 2))
    half = half_width(variance / pairs, pairs, MODES["default"].tuning_trials)
    return mean - half, mean + half


def wilson(k: Array, n: Array) -> tuple[Array, Array]:
    centre = (k + Z * Z / 2) / (n + Z * Z)
    half = Z * np.sqrt(k * (n - k) / n + Z * Z / 4) / (n + Z * Z)
    return centre - half, centre + half


def newcombe_bounds(k_a: Array, n_a: Array, k_b: Array, n_b: Array) -> tuple[Array, Array]:
    """Newcombe's hybrid score interval: for a single look."""
    rate_a, rate_b = k_a / n_a, k_b / n_b
    (lower_a, upper_a), (lower_b, upper_b) = wilson(k_a, n_a), wilson(k_b, n_b)
    return (
        rate_b - rate_a - np.hypot(rate_b - lower_b, upper_a - rate_a),
        rate_b - rate_a + np.hypot(upper_b - rate_b, rate_a - lower_a),
    )


def decided_at(lower: Array, upper: Array, n_a: Array, n_b: Array) -> Array:
    """The first look (from 1) at which an interval lies outside zero with enough trials, along the
    last axis; inf where it never does."""
    is_decided = ((lower > 0) | (upper < 0)) & (n_a >= MIN_TRIALS) & (n_b >= MIN_TRIALS)
    return np.where(is_decided.any(axis=-1), is_decided.argmax(axis=-1) + 1.0, np.inf)


def rolling_baseline(k: Array, n: Array, first: int = 35, last: int = 8) -> Array:
    """The rate over the days t - first .. t - last, clipped; nan until they hold enough trials."""

    def window(values: Array) -> Array:
        total = np.concatenate([np.zeros((*values.shape[:-1], 1)), np.cumsum(values, axis=-1)], axis=-1)
        day = np.arange(values.shape[-1])
        sums: Array = total[..., np.maximum(day - last + 1, 0)] - total[..., np.maximum(day - first, 0)]
        return sums

    successes, trials = window(k), window(n)
    with np.errstate(invalid="ignore"):
        return np.where(trials >= MIN_TRIALS, np.clip(successes / np.maximum(trials, 1), 0.02, 0.99), np.nan)


def cusum(k: Array, n: Array, baseline: Array, drop: float = 0.10) -> Array:
    """The Bernoulli CUSUM for a drop of the success rate, along the last axis."""
    fallen = baseline - drop
    with np.errstate(invalid="ignore", divide="ignore"):
        increment = k * np.log(fallen / baseline) + (n - k) * np.log((1 - fallen) / (1 - baseline))
    # A baseline of nan compares false: such a day is not judged.
    increment = np.where((fallen >= 0.01) & (n > 0), increment, 0.0)
    total = np.cumsum(increment, axis=-1)
    return total - np.minimum(np.minimum.accumulate(total, axis=-1), 0.0)

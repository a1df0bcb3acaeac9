"""The project's sequential statistics, drift alarm and same-task strength in NumPy, over whole arrays of runs at once.

SQL is what counts; this twin exists because thousands of runs of 90 looks are too many for it.
A test holds the two equal (tests/python/statistics/test_twin.py).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[np.float64]]
Flags = np.ndarray[Any, np.dtype[np.bool_]]

ALPHA = 0.05
Z = 1.959963984540054
MIN_TRIALS = 30
MIN_STRATA = 10
MIN_STRATA_PER_LOG_PAIR = 5
MIN_SHARED_TASKS = 30
MIN_SHARED_TASK_SHARE = 0.1
STRENGTH_STEPS = 8


@dataclass(frozen=True)
class Mode:
    """How a boundary is had: successes and failures added to each arm, and the
    trials at which it is tightest."""

    added: int
    tuning_trials: int


MODES = {"default": Mode(2, 1000), "gbstats": Mode(0, 5000)}


def tuning(tuning_trials: float, alpha: float = ALPHA) -> float:
    return float(tuning_trials / (np.log(1 - 2 * np.log(alpha)) - 2 * np.log(alpha)))


def half_width(squared_error: Array, trials: Array, tuning_trials: float, alpha: float = ALPHA) -> Array:
    """Half the anytime-valid interval. Source: Waudby-Smith et al., arXiv 2103.06476.

    Alpha shared between several comparisons counts in the logarithm alone."""
    r = tuning(tuning_trials)
    return np.sqrt(squared_error * (trials + r) / trials * np.log((trials + r) / (r * alpha**2)))


def e_value(difference: Array, squared_error: Array, trials: Array, tuning_trials: float) -> Array:
    """Return the evidence against no difference. Source: as for half_width."""
    r = tuning(tuning_trials)
    exponent = difference**2 / squared_error / 2 * trials / (trials + r)
    with np.errstate(over="ignore"):
        return np.sqrt(r / (trials + r)) * np.exp(exponent)


def worse_e_value(difference: Array, squared_error: Array, trials: Array, margin: float = 0.0) -> Array:
    """Return the evidence that the challenger is worse by more than `margin`; 0 if it is not."""
    evidence = e_value(difference + margin, squared_error, trials, MODES["default"].tuning_trials)
    return np.where(difference < -margin, evidence, 0.0)


def e_bh(evidence: Array, is_compared: Flags, alpha: float = ALPHA) -> Flags:
    """Return which hypotheses of the last axis the e-BH procedure rejects.

    Only those in `is_compared` count. Source: Wang & Ramdas, arXiv 2009.02824."""
    evidence = np.where(is_compared, evidence, 0.0)
    count = is_compared.sum(axis=-1, keepdims=True)
    descending = -np.sort(-evidence, axis=-1)
    number = np.arange(1, evidence.shape[-1] + 1)
    is_enough = (descending > 0) & (number * descending >= count / alpha)
    rejected = np.where(is_enough, number, 0).max(axis=-1, keepdims=True)
    smallest = np.take_along_axis(descending, np.maximum(rejected - 1, 0), axis=-1)
    result: Flags = (rejected > 0) & (evidence >= smallest)
    return result


def is_compared_by_task(shared_tasks: Array, fewer_tasks: Array) -> Flags:
    """Return whether the strata are tasks; `fewer_tasks` are the tasks of the arm with fewer of them."""
    enough = (shared_tasks >= MIN_SHARED_TASKS) | (shared_tasks >= MIN_SHARED_TASK_SHARE * fewer_tasks)
    result: Flags = enough & (shared_tasks >= 1)
    return result


@dataclass(frozen=True)
class Strata:
    """Sums over strata, of which each array element is one case; they add up.

    Source: Mantel & Haenszel 1959 for the weights, Liang & Zeger 1986 for the robust variance."""

    strata: Array
    incumbent_trials: Array
    challenger_trials: Array
    weight: Array
    squared_weight: Array
    weighted_difference: Array
    squared_weight_difference: Array  # sum of weight^2 * difference
    squared_weighted_difference: Array  # sum of (weight * difference)^2
    within_variance: Array

    @classmethod
    def of(cls, k_a: Array, n_a: Array, k_b: Array, n_b: Array) -> Strata:
        """Return each stratum by itself; one that an arm has no trial in counts nothing."""
        is_common = (n_a > 0) & (n_b > 0)
        trials, successes = n_a + n_b, k_a + k_b
        with np.errstate(invalid="ignore", divide="ignore"):
            weight = np.where(is_common, n_a * n_b / trials, 0.0)
            weighted = np.where(is_common, weight * (k_b / n_b - k_a / n_a), 0.0)
            variance = np.where(is_common, weight * successes * (trials - successes) / (trials * (trials - 1)), 0.0)
        return cls(
            strata=is_common.astype(float),
            incumbent_trials=np.where(is_common, n_a, 0.0),
            challenger_trials=np.where(is_common, n_b, 0.0),
            weight=weight,
            squared_weight=weight**2,
            weighted_difference=weighted,
            squared_weight_difference=weight * weighted,
            squared_weighted_difference=weighted**2,
            within_variance=variance,
        )

    def changed(self, change: Callable[[Array], Array]) -> Strata:
        return Strata(**{field.name: change(getattr(self, field.name)) for field in fields(self)})

    def accumulated(self) -> Strata:
        """Return the sums up to each element of the last axis: the strata known at each look."""
        return self.changed(lambda values: np.cumsum(values, axis=-1))

    def total(self) -> Strata:
        """Return the sums over the last axis."""
        return self.changed(lambda values: values.sum(axis=-1))

    @classmethod
    def stacked(cls, looks: Sequence[Strata]) -> Strata:
        """Return the sums of several looks as one, with the looks along the last axis."""
        return cls(
            **{field.name: np.stack([getattr(look, field.name) for look in looks], axis=-1) for field in fields(cls)}
        )

    def where(self, condition: Flags, other: Strata) -> Strata:
        """Return these sums if `condition`, the other ones elsewhere."""
        return Strata(
            **{
                field.name: np.where(condition, getattr(self, field.name), getattr(other, field.name))
                for field in fields(self)
            }
        )

    @property
    def trials(self) -> Array:
        return self.incumbent_trials + self.challenger_trials

    @property
    def difference(self) -> Array:
        """The challenger's rate less the incumbent's; nan without a common stratum."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.weighted_difference / self.weight

    @property
    def variance(self) -> Array:
        """The variance of the weighted difference if trials are independent within strata."""
        return self.within_variance + 0.25

    @property
    def robust_variance(self) -> Array:
        """The variance of the weighted difference, from how the strata differ."""
        difference = self.difference
        spread = (
            self.squared_weighted_difference
            - 2 * difference * self.squared_weight_difference
            + difference**2 * self.squared_weight
        )
        return self.strata / np.maximum(self.strata - 1, 1) * spread

    @property
    def squared_error(self) -> Array:
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.maximum(self.variance, self.robust_variance) / self.weight**2

    @property
    def is_enough(self) -> Flags:
        """Return whether the common strata allow a verdict."""
        result: Flags = (
            (self.strata >= MIN_STRATA) & (self.incumbent_trials >= MIN_TRIALS) & (self.challenger_trials >= MIN_TRIALS)
        )
        return result

    def bounds(self, alpha: float = ALPHA) -> tuple[Array, Array]:
        """Return the anytime-valid interval of the difference, not clipped."""
        with np.errstate(invalid="ignore", divide="ignore"):
            half = half_width(self.squared_error, self.trials, MODES["default"].tuning_trials, alpha)
        return self.difference - half, self.difference + half

    def is_separated(self, alpha: float = ALPHA) -> Flags:
        """Return whether the interval lies outside zero, with enough trials and strata."""
        lower, upper = self.bounds(alpha)
        is_enough = self.is_enough & (self.strata >= MIN_STRATA + MIN_STRATA_PER_LOG_PAIR * np.log(ALPHA / alpha))
        result: Flags = is_enough & ((lower > 0) | (upper < 0))
        return result


def difference_bounds(
    k_a: Array, n_a: Array, k_b: Array, n_b: Array, mode: Mode, alpha: float = ALPHA
) -> tuple[Array, Array]:
    """The anytime-valid interval of the challenger's rate less the incumbent's, not clipped."""
    errors = [squared_error(k, n, mode) for k, n in ((k_a, n_a), (k_b, n_b))]
    half = half_width(errors[0] + errors[1], n_a + n_b, mode.tuning_trials, alpha)
    # An arm without variance, which only gbstats mode knows, has no interval.
    half = np.where((errors[0] > 0) & (errors[1] > 0), half, np.inf)
    difference = k_b / n_b - k_a / n_a
    return difference - half, difference + half


def squared_error(k: Array, n: Array, mode: Mode) -> Array:
    """Return the squared standard error of one arm's rate."""
    return (k + mode.added) * (n - k + mode.added) / (n + 2 * mode.added) ** 2 / n


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
    return first_look(((lower > 0) | (upper < 0)) & (n_a >= MIN_TRIALS) & (n_b >= MIN_TRIALS))


def first_look(is_decided: Flags) -> Array:
    """Return the first look (from 1) that decides, along the last axis; inf if none does."""
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


def same_task_strength(shares: Array) -> Array:
    """Return each model's strength as log-odds with the difficulty of tasks taken out, their mean 0.

    `shares` (... x tasks x models) holds each model's share of successes on each task, nan if it did not
    try the task. A model with fewer than 30 tasks that another one tried gets nan. The strengths are
    weighted least squares for the model of Bradley & Terry 1952 (Rasch 1960, conditional on the task)."""
    is_tried = ~np.isnan(shares)
    is_shared = is_tried & (is_tried.sum(axis=-1, keepdims=True) >= 2)
    is_judged = is_shared.sum(axis=-2) >= MIN_SHARED_TASKS
    is_counted = is_tried & is_judged[..., None, :]
    successes, failures = np.where(is_counted, shares, 0.0), np.where(is_counted, 1 - shares, 0.0)
    wins = np.swapaxes(successes, -1, -2) @ failures
    wins = np.where(np.eye(shares.shape[-1], dtype=bool), 0.0, wins)
    losses = np.swapaxes(wins, -1, -2)
    log_odds = np.log((wins + 0.5) / (losses + 0.5))
    weight = np.where(wins + losses > 0, 1 / (1 / (wins + 0.5) + 1 / (losses + 0.5)), 0.0)
    total = weight.sum(axis=-1)
    strength = np.zeros(total.shape)
    for _ in range(STRENGTH_STEPS):
        with np.errstate(invalid="ignore"):
            solution = (weight * (log_odds + strength[..., None, :])).sum(axis=-1) / total
        strength = np.where(total > 0, (strength + solution) / 2, 0.0)
        mean = np.where(is_judged, strength, 0.0).sum(axis=-1) / np.maximum(is_judged.sum(axis=-1), 1)
        strength = np.where(is_judged, strength - mean[..., None], 0.0)
    return np.where(is_judged & (total > 0), strength, np.nan)

"""Simulated logs of two models, and what is known of them at each daily look.

In each world the two models are equally good. The worlds differ in how the log came about: retries, bad days, a
trend, routing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from benchmarks import twin
from benchmarks.twin import Array, Flags, Strata

DAYS = 90
RATE = 0.8
TASKS_A_DAY = 5
TRIALS_A_DAY = 30  # of both models together
RECURRING_TASKS = 200
RECURRING_TRIALS_A_DAY = 20
MAX_TRIES = (10, 50)
ROUTING_LOG_ODDS = (2, 4)

Random = np.random.Generator


@dataclass(frozen=True)
class Looks:
    """The sums up to each daily look (runs x days): over everything, and over strata."""

    incumbent_successes: Array
    incumbent_trials: Array
    challenger_successes: Array
    challenger_trials: Array
    strata: Strata
    is_by_task: Flags  # whether the strata are tasks; they are days elsewhere

    @classmethod
    def of_days(cls, k_a: Array, n_a: Array, k_b: Array, n_b: Array) -> Looks:
        """Return the looks at counts by day (runs x days), of models that share no tasks."""
        pooled_k_a, pooled_n_a, pooled_k_b, pooled_n_b = (np.cumsum(each, axis=-1) for each in (k_a, n_a, k_b, n_b))
        strata = Strata.of(k_a, n_a, k_b, n_b).accumulated()
        return cls(pooled_k_a, pooled_n_a, pooled_k_b, pooled_n_b, strata, np.zeros(k_a.shape, dtype=bool))

    @classmethod
    def of_tasks(cls, k_a: Array, n_a: Array, k_b: Array, n_b: Array) -> Looks:
        """Return the looks at counts by task of a day (runs x days x tasks), of models that try the same tasks."""
        tasks = Strata.of(k_a, n_a, k_b, n_b).total().accumulated()
        days = cls.of_days(*(counts.sum(axis=-1) for counts in (k_a, n_a, k_b, n_b)))
        return days.with_tasks(tasks, tasks.strata)

    def with_tasks(self, tasks: Strata, fewer_tasks: Array) -> Looks:
        """Return the looks with tasks for strata, once the models share enough of them.

        `fewer_tasks` is the number of tasks of the model with fewer tasks."""
        is_by_task = twin.is_compared_by_task(tasks.strata, fewer_tasks)
        return Looks(*self.pooled, tasks.where(is_by_task, self.strata), is_by_task)

    @property
    def pooled(self) -> tuple[Array, Array, Array, Array]:
        """Successes and trials of the incumbent, then of the challenger."""
        return self.incumbent_successes, self.incumbent_trials, self.challenger_successes, self.challenger_trials

    def is_decided_pooled(self) -> Flags:
        """Return whether the interval that pools all days lies outside zero."""
        with np.errstate(invalid="ignore", divide="ignore"):
            lower, upper = twin.difference_bounds(*self.pooled, twin.MODES["default"])
        trials = np.minimum(self.incumbent_trials, self.challenger_trials)
        result: Flags = ((lower > 0) | (upper < 0)) & (trials >= twin.MIN_TRIALS)
        return result

    def is_decided(self) -> Flags:
        """Return whether the interval inside strata lies outside zero."""
        return self.strata.is_separated()


Simulation = Callable[[Random, int], Looks]  # of so many runs


@dataclass(frozen=True)
class World:
    name: str
    detail: str
    simulate: Simulation


def identical_models() -> Iterator[World]:
    """Yield the worlds in which no verdict is right."""
    for most in MAX_TRIES:
        yield World("retried until success", f"at most {most} tries, own tasks", retries(most, is_shared=False))
        yield World("retried until success", f"at most {most} tries, same tasks", retries(most, is_shared=True))
    yield World("every task tried 5 times", "own tasks", five_tries(is_shared=False))
    yield World("every task tried 5 times", "same tasks", five_tries(is_shared=True))
    for correlation in (0.02, 0.05, 0.1):
        for per_day in (5, 20, 50):
            yield World(
                "bad days of one model", f"correlation {correlation}, {per_day} a day", bad_days(correlation, per_day)
            )
    falling = np.linspace(0.9, 0.6, DAYS)
    for direction, rates in (("worse", falling), ("better", falling[::-1])):
        for name, share in SHARES.items():
            yield World(f"both get {direction}", f"traffic moves: {name}", moving_traffic(rates, share))
    weekend = np.arange(DAYS) % 7 >= 5
    weekend_rates, weekend_share = np.where(weekend, 0.65, 0.85), np.where(weekend, 0.8, 0.2)
    yield World("weekend dip", "the challenger works at weekends", moving_traffic(weekend_rates, weekend_share))
    for log_odds in ROUTING_LOG_ODDS:
        yield World("hard tasks to one model", f"log-odds {log_odds}, recurring tasks", routed(log_odds))
    yield World("adaptive allocation", "shares by Thompson sampling", adaptive(np.full(DAYS, RATE)))
    yield World("adaptive allocation", "and both get worse", adaptive(falling))


SHARES = {
    "ramp": np.linspace(0.1, 0.9, DAYS),
    "late start": np.where(np.arange(DAYS) < 30, 0.0, 0.5),
    "replacement": np.where(np.arange(DAYS) < 45, 0.05, 0.95),
}


def unshared_routing(log_odds: float) -> Simulation:
    """Return the world that no statistic can judge: routing by difficulty, and no task that both models try."""

    def simulate(random: Random, runs: int) -> Looks:
        chance = random.random((runs, DAYS, RECURRING_TRIALS_A_DAY))
        is_success = random.random(chance.shape) < chance
        is_challenger = random.random(chance.shape) < share_of_hard(1 - chance, log_odds)
        counts = [
            values.sum(axis=-1).astype(float)
            for values in (is_success & ~is_challenger, ~is_challenger, is_success & is_challenger, is_challenger)
        ]
        return Looks.of_days(*counts)

    return simulate


def independent(rates: tuple[float, float], per_day: tuple[int, int], days: int = DAYS) -> Simulation:
    """Return the world of independent trials: rates and trials a day of the incumbent and the challenger."""

    def simulate(random: Random, runs: int) -> Looks:
        k_a, k_b = (
            random.binomial(trials, rate, (runs, days)).astype(float)
            for rate, trials in zip(rates, per_day, strict=True)
        )
        n_a, n_b = (np.full((runs, days), float(trials)) for trials in per_day)
        return Looks.of_days(k_a, n_a, k_b, n_b)

    return simulate


def _difficulties(random: Random, runs: int, is_shared: bool) -> tuple[Array, Array]:
    """Return the chances of success of each model's tasks (runs x days x tasks); all chances are equally likely."""
    chance_a = random.random((runs, DAYS, TASKS_A_DAY))
    return chance_a, chance_a if is_shared else random.random(chance_a.shape)


def _looks(counts_a: tuple[Array, Array], counts_b: tuple[Array, Array], is_shared: bool) -> Looks:
    counts = (*counts_a, *counts_b)
    if is_shared:
        return Looks.of_tasks(*counts)
    return Looks.of_days(*(values.sum(axis=-1) for values in counts))


def retries(most: int, is_shared: bool) -> Simulation:
    def tried(random: Random, chance: Array) -> tuple[Array, Array]:
        needed = random.geometric(np.maximum(chance, 1e-12))
        return (needed <= most).astype(float), np.minimum(needed, most).astype(float)

    def simulate(random: Random, runs: int) -> Looks:
        chance_a, chance_b = _difficulties(random, runs, is_shared)
        return _looks(tried(random, chance_a), tried(random, chance_b), is_shared)

    return simulate


def five_tries(is_shared: bool) -> Simulation:
    def tried(random: Random, chance: Array) -> tuple[Array, Array]:
        return random.binomial(5, chance).astype(float), np.full(chance.shape, 5.0)

    def simulate(random: Random, runs: int) -> Looks:
        chance_a, chance_b = _difficulties(random, runs, is_shared)
        return _looks(tried(random, chance_a), tried(random, chance_b), is_shared)

    return simulate


def bad_days(correlation: float, per_day: int) -> Simulation:
    """Return the world in which each model has a rate of its own each day, around the same mean."""
    total = 1 / correlation - 1

    def simulate(random: Random, runs: int) -> Looks:
        rates = random.beta(RATE * total, (1 - RATE) * total, (2, runs, DAYS))
        k_a, k_b = random.binomial(per_day, rates).astype(float)
        trials = np.full((runs, DAYS), float(per_day))
        return Looks.of_days(k_a, trials, k_b, trials)

    return simulate


def moving_traffic(rates: Array, share: Array) -> Simulation:
    """Return the world with a common rate by day and a challenger's share of the traffic by day."""

    def simulate(random: Random, runs: int) -> Looks:
        n_b = random.binomial(TRIALS_A_DAY, share, (runs, DAYS))
        n_a = TRIALS_A_DAY - n_b
        k_a, k_b = random.binomial(n_a, rates), random.binomial(n_b, rates)
        return Looks.of_days(*(counts.astype(float) for counts in (k_a, n_a, k_b, n_b)))

    return simulate


def share_of_hard(hardness: Array, log_odds: float) -> Array:
    """Return the challenger's share of tasks by hardness (0 to 1).

    `log_odds` lie between the hardest and the easiest one."""
    share: Array = 1 / (1 + np.exp(-log_odds * (hardness - 0.5)))
    return share


def routed(log_odds: float) -> Simulation:
    """Return the world of recurring tasks, the harder of which go to the challenger rather than to the incumbent."""

    def simulate(random: Random, runs: int) -> Looks:
        chance = random.random((runs, RECURRING_TASKS))
        share = share_of_hard(1 - chance, log_odds)
        run = np.arange(runs)[:, None]
        counts = np.zeros((4, runs, RECURRING_TASKS))
        tasks, fewer, days = [], [], np.zeros((4, runs, DAYS))
        for day in range(DAYS):
            task = random.integers(RECURRING_TASKS, size=(runs, RECURRING_TRIALS_A_DAY))
            is_success = random.random(task.shape) < chance[run, task]
            is_challenger = random.random(task.shape) < share[run, task]
            kinds = (is_success & ~is_challenger, ~is_challenger, is_success & is_challenger, is_challenger)
            for number, kind in enumerate(kinds):
                np.add.at(counts[number], (run, task), kind)
                days[number, :, day] = kind.sum(axis=-1)
            tasks.append(Strata.of(*counts).total())
            fewer.append((counts[[1, 3]] > 0).sum(axis=-1).min(axis=0))
        return Looks.of_days(*days).with_tasks(Strata.stacked(tasks), np.stack(fewer, axis=-1))

    return simulate


def adaptive(rates: Array) -> Simulation:
    """Return the world in which each trial of a day goes to the model that a draw from the posteriors prefers."""

    def simulate(random: Random, runs: int) -> Looks:
        k, n = thompson_counts(random, runs, 2, TRIALS_A_DAY, rates)
        return Looks.of_days(k[:, 0], n[:, 0], k[:, 1], n[:, 1])

    return simulate


def thompson_counts(random: Random, runs: int, models: int, per_day: int, rates: Array) -> tuple[Array, Array]:
    """Return successes and trials (runs x models x days) under Thompson sampling, which knows the days before."""
    successes, trials = np.zeros((2, runs, models, len(rates)))
    known_k, known_n = np.zeros((2, runs, models))
    for day, rate in enumerate(rates):
        drawn = random.beta(1 + known_k[:, None], 1 + (known_n - known_k)[:, None], (runs, per_day, models))
        chosen = drawn.argmax(axis=-1)
        today = (chosen[..., None] == np.arange(models)).sum(axis=1)
        trials[..., day] = today
        successes[..., day] = random.binomial(today, rate)
        known_k += successes[..., day]
        known_n += trials[..., day]
    return successes, trials

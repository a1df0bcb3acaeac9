"""How often the statistics cry wolf, and how soon they see one: simulated, with a fixed seed.

Identical models are compared daily for 90 days (or 365), 4,000 times a cell, and every look may
decide. Wanted: at most 4 % of the runs decide in any cell of the default mode. Beside it what else
one might have used: gbstats mode, and a 95 % Newcombe interval read as if each look were the only one.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from benchmarks import twin
from benchmarks.twin import Array

RUNS = 4000
DAYS = 90
RATES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
ARMS = ((5, 5), (10, 5), (20, 5), (20, 2), (2, 20))
MONITORED_CELLS = 150


def main() -> None:
    random = np.random.default_rng(20260131)
    print(f"## False positives of {RUNS:,} comparisons of identical models, {DAYS} daily looks\n")
    print("| success rate | incumbent/challenger a day | default | gbstats mode | fixed-horizon |")
    print("|---|---|---|---|---|")
    worst = dict.fromkeys(("default", "gbstats", "fixed"), 0.0)
    for rate, arms in product(RATES, ARMS):
        shares = false_positives(random, rate, arms, DAYS)
        worst = {name: max(worst[name], share) for name, share in shares.items()}
        print(f"| {rate} | {arms[0]}/{arms[1]} | " + " | ".join(f"{share:.1%}" for share in shares.values()) + " |")
    print("| worst | | " + " | ".join(f"{share:.1%}" for share in worst.values()) + " |\n")
    year = max(false_positives(random, rate, arms, 365)["default"] for rate, arms in product(RATES, ARMS))
    print(f"Default over 365 looks, the worst cell: {year:.1%}\n")
    print_power(random)
    print_paired(random)
    print_drift(random)


def false_positives(random: np.random.Generator, rate: float, arms: tuple[int, int], days: int) -> dict[str, float]:
    """Shares of runs that decide between identical models, by kind of interval."""
    (k_a, n_a), (k_b, n_b) = (accumulated(random, rate, per_day, days) for per_day in arms)
    bounds = {name: twin.difference_bounds(k_a, n_a, k_b, n_b, mode) for name, mode in twin.MODES.items()}
    bounds["fixed"] = twin.newcombe_bounds(k_a, n_a, k_b, n_b)
    return {name: decided_share(*each, n_a, n_b) for name, each in bounds.items()}


def accumulated(random: np.random.Generator, rate: float, per_day: int, days: int) -> tuple[Array, Array]:
    """Cumulative successes (runs x days) and trials (days)."""
    successes = random.binomial(per_day, rate, (RUNS, days)).cumsum(axis=1).astype(float)
    return successes, per_day * np.arange(1.0, days + 1)


def decided_share(lower: Array, upper: Array, n_a: Array, n_b: Array) -> float:
    return float(np.isfinite(twin.decided_at(lower, upper, n_a, n_b)).mean())


def print_power(random: np.random.Generator) -> None:
    print(f"## Power: .90 against .80, default mode, {DAYS} days\n")
    print("| incumbent/challenger a day | decided | median day of the decided |")
    print("|---|---|---|")
    for arms in ((5, 5), (10, 10), (20, 20), (20, 5)):
        k_a, n_a = accumulated(random, 0.8, arms[0], DAYS)
        k_b, n_b = accumulated(random, 0.9, arms[1], DAYS)
        at = twin.decided_at(*twin.difference_bounds(k_a, n_a, k_b, n_b, twin.MODES["default"]), n_a, n_b)
        found = at[np.isfinite(at)]
        median = f"{np.median(found):.0f}" if len(found) else "-"
        print(f"| {arms[0]}/{arms[1]} | {np.isfinite(at).mean():.0%} | {median} |")
    print()


def print_paired(random: np.random.Generator) -> None:
    """Both models try the same tasks, whose difficulties differ: then the arms are dependent."""
    print(f"## False positives of the paired interval, {DAYS} daily looks\n")
    print("| tasks a day | difficulty | false positives |")
    print("|---|---|---|")
    for per_day, (shape_a, shape_b) in product((2, 5, 20), ((0.5, 0.5), (4, 1), (18, 2))):
        chance = random.beta(shape_a, shape_b, (RUNS, DAYS, per_day))
        a, b = (random.random(chance.shape) < chance for _ in range(2))
        only_a = (a & ~b).sum(axis=2).cumsum(axis=1).astype(float)
        only_b = (b & ~a).sum(axis=2).cumsum(axis=1).astype(float)
        pairs = per_day * np.arange(1.0, DAYS + 1)
        share = decided_share(*twin.paired_bounds(only_a, only_b, pairs), pairs, pairs)
        print(f"| {per_day} | Beta({shape_a}, {shape_b}) | {share:.1%} |")
    print()


def print_drift(random: np.random.Generator) -> None:
    """Cells of 20 trials a day; a year is watched after the 35 days that the baseline needs."""
    print(f"## Drift alarm: 20 trials a day, {MONITORED_CELLS} monitored cells\n")
    print("| success rate | false alarms per cell-year | seen within 30 days of a fall by .10 | median delay, days |")
    print("|---|---|---|---|")
    threshold = np.log(365 * MONITORED_CELLS)
    for rate in (0.7, 0.8, 0.9, 0.95):
        steady = np.full(400, rate)
        fallen = np.where(np.arange(130) < 100, rate, rate - 0.10)
        alarms = {
            name: np.cumsum(statistic(random, rates) >= threshold, axis=1) > 0
            for name, rates in (("steady", steady), ("fallen", fallen))
        }
        false_alarms = alarms["steady"][:, -1].mean()
        clean = alarms["fallen"][~alarms["fallen"][:, 99]]
        delays = np.where(clean[:, -1], clean.argmax(axis=1) - 99, np.inf)
        seen = np.isfinite(delays)
        print(f"| {rate} | {false_alarms:.4f} | {seen.mean():.0%} | {np.median(delays[seen]):.0f} |")
    print()


def statistic(random: np.random.Generator, rates: Array) -> Array:
    """The CUSUM of RUNS cells whose rate follows `rates` by day."""
    trials = np.full((RUNS, len(rates)), 20.0)
    successes = random.binomial(20, rates, (RUNS, len(rates))).astype(float)
    return twin.cusum(successes, trials, twin.rolling_baseline(successes, trials))


if __name__ == "__main__":
    main()

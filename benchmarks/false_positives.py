"""How often the statistics find a difference that is not there, and how soon they see a real one.

All of it is simulated, with fixed seeds. Identical models are compared daily for 90 days, and every look may decide.
`pooled` compares the two rates over all days. `within strata` compares inside days, or inside tasks that both models
try. `benchmarks.worlds` has the simulated logs of two models, and `benchmarks.selection` what selects among many.
"""

from __future__ import annotations

from itertools import product

import numpy as np

from benchmarks import real_tasks, selection, twin, worlds
from benchmarks.targets import Target
from benchmarks.twin import Array, Flags
from benchmarks.worlds import DAYS, Looks

SEED = 20260131
RUNS = 4000  # of the alarm for drift and of the paired interval
RATES = (0.5, 0.7, 0.8, 0.9, 0.95, 0.98)
ARMS = ((5, 5), (10, 5), (20, 5), (20, 2), (2, 20))
EVEN_ARMS = ((5, 5), (10, 10), (20, 20))
LOPSIDED_ARMS = ((20, 5), (20, 2), (2, 20))
LARGEST_SHARE = 0.06
LARGEST_DELAY = 1.15
MONITORED_CELLS = 150


def main(runs: int = 2000) -> None:
    print_worlds(runs)
    print_routing(runs)
    print_independent(runs)
    print_power(runs)
    real_tasks.print_decisions(SEED)
    selection.print_rank_sets(SEED, runs)
    selection.print_demotion(SEED, runs)
    random = np.random.default_rng(SEED)
    print_paired(random)
    print_drift(random)


def print_worlds(runs: int) -> None:
    print(f"## False verdicts between identical models in {runs:,} runs, {DAYS} daily looks\n")
    print("| world | | pooled | within strata |")
    print("|---|---|---|---|")
    target = Target("at most 6 % of the runs ever decide within strata", largest=LARGEST_SHARE)
    for number, world in enumerate(worlds.identical_models()):
        looks = world.simulate(np.random.default_rng([SEED, number]), runs)
        cell = target.percent(f"{world.name}, {world.detail}", ever(looks.is_decided()))
        print(f"| {world.name} | {world.detail} | {ever(looks.is_decided_pooled()):.1%} | {cell} |")
    target.report()


def ever(is_decided: Flags) -> float:
    """Return the share of runs in which any look decides."""
    return float(is_decided.any(axis=-1).mean())


def print_routing(runs: int) -> None:
    """Print when the errors under routing by difficulty come about, and those that no statistic can help.

    No target: the world of recurring tasks is held to one above."""
    print(f"## Hard tasks to one of two identical models: false verdicts by their strata, {runs:,} runs\n")
    print("Tasks are the strata once the models share a tenth of them. The days of a world without shared tasks hide")
    print("who got which difficulty.\n")
    print("| log-odds | any look | looks at days | looks at tasks | decided on the last day | no task tried by both |")
    print("|---|---|---|---|---|---|")
    for number, log_odds in enumerate(worlds.ROUTING_LOG_ODDS):
        looks = worlds.routed(log_odds)(np.random.default_rng([SEED, 100 + number]), runs)
        is_decided, is_by_task = looks.is_decided(), looks.is_by_task
        apart = worlds.unshared_routing(log_odds)(np.random.default_rng([SEED, 200 + number]), runs)
        shares = (
            ever(is_decided),
            ever(is_decided & ~is_by_task),
            ever(is_decided & is_by_task),
            float(is_decided[:, -1].mean()),
            ever(apart.is_decided()),
        )
        print(f"| {log_odds} | " + " | ".join(f"{share:.1%}" for share in shares) + " |")
    print()


def print_independent(runs: int) -> None:
    """Print the false positives of independent trials, with what else one might have used: gbstats mode, and a 95 %
    Newcombe interval read as if each look were the only one."""
    print(f"## False verdicts between identical models with independent trials: {runs:,} runs, {DAYS} daily looks\n")
    print("| success rate | incumbent/challenger a day | pooled | within strata | gbstats mode | fixed-horizon |")
    print("|---|---|---|---|---|---|")
    random = np.random.default_rng(SEED)
    target = Target("at most 6 % of the runs ever decide within strata", largest=LARGEST_SHARE)
    worst: dict[str, float] = {}
    for rate, arms in product(RATES, ARMS):
        shares = false_positives(random, rate, arms, DAYS, runs)
        worst = {name: max(worst.get(name, 0), share) for name, share in shares.items()}
        cells = {name: f"{share:.1%}" for name, share in shares.items()}
        cells["strata"] = target.percent(f"{rate}, {arms[0]}/{arms[1]}", shares["strata"])
        print(f"| {rate} | {arms[0]}/{arms[1]} | " + " | ".join(cells.values()) + " |")
    print("| worst | | " + " | ".join(f"{share:.1%}" for share in worst.values()) + " |")
    target.report()
    year = [false_positives(random, rate, arms, 365, runs) for rate, arms in product(RATES, ARMS)]
    pooled, stratified = (max(shares[name] for shares in year) for name in ("default", "strata"))
    print(f"Over 365 looks, the worst cell: pooled {pooled:.1%}, within strata {stratified:.1%}\n")


def false_positives(
    random: np.random.Generator, rate: float, arms: tuple[int, int], days: int, runs: int
) -> dict[str, float]:
    """Return the shares of runs that decide between identical models, by kind of interval."""
    looks = worlds.independent((rate, rate), arms, days)(random, runs)
    return {
        "default": ever(looks.is_decided_pooled()),
        "strata": ever(looks.is_decided()),
        "gbstats": decided_share(looks, *twin.difference_bounds(*looks.pooled, twin.MODES["gbstats"])),
        "fixed": decided_share(looks, *twin.newcombe_bounds(*looks.pooled)),
    }


def decided_share(looks: Looks, lower: Array, upper: Array) -> float:
    n_a, n_b = looks.incumbent_trials, looks.challenger_trials
    return float(np.isfinite(twin.decided_at(lower, upper, n_a, n_b)).mean())


def print_power(runs: int) -> None:
    print(f"## Power: .90 against .80, independent trials, {runs:,} runs of {DAYS} days\n")
    print(
        "| incumbent/challenger a day | decided: pooled | within strata | median day: pooled | within strata | ratio |"
    )
    print("|---|---|---|---|---|---|")
    target = Target("at even arms at most 15 % more days within strata", largest=LARGEST_DELAY)
    for number, arms in enumerate((*EVEN_ARMS, *LOPSIDED_ARMS)):
        looks = worlds.independent((0.8, 0.9), arms)(np.random.default_rng([SEED, number]), runs)
        first = [twin.first_look(each) for each in (looks.is_decided_pooled(), looks.is_decided())]
        shares = [f"{np.isfinite(each).mean():.0%}" for each in first]
        pooled, stratified = (float(np.median(each)) for each in first)
        days = [f"{day:.0f}" if np.isfinite(day) else f"after {DAYS}" for day in (pooled, stratified)]
        ratio = f"{stratified / pooled:.2f}"
        if arms in EVEN_ARMS:
            ratio = target.cell(f"{arms[0]}/{arms[1]}", stratified / pooled, ratio)
        print(f"| {arms[0]}/{arms[1]} | " + " | ".join((*shares, *days, ratio)) + " |")
    target.report()


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
        lower, upper = twin.paired_bounds(only_a, only_b, pairs)
        share = np.isfinite(twin.decided_at(lower, upper, pairs, pairs)).mean()
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

"""Errors of what selects among many models: rank sets, and the list for demotion with its false-discovery rate."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np

from benchmarks import twin, worlds
from benchmarks.targets import Target
from benchmarks.twin import ALPHA, Array, Flags, Strata
from benchmarks.worlds import DAYS, RATE, Random

TRIALS_A_DAY = 10  # of each model, on average
ADAPTIVE_TRIALS_A_DAY = 50  # of all models together
DEMOTION_MODELS = 10
DEMOTION_TRIALS_A_DAY = 50  # of all models together
SHARE_IN_TURN = 0.8
INCUMBENT_DAYS = 30
WORSE_RATE = 0.65
EASIER_RATES = (0.6, 0.9)  # on the first and the last day
DAY_CORRELATION = 0.05
RUNS_AT_ONCE = 50
DEFAULT = twin.MODES["default"]

Counts = tuple[Array, Array]  # successes and trials, runs x models x days
Simulation = Callable[[Random, int], Counts]


def print_rank_sets(seed: int, runs: int) -> None:
    """Print how often two equal models are ever separated."""
    print(f"## Rank sets: runs in which two equal models are ever separated, {DAYS} daily looks, {runs:,} runs\n")
    print("| models | traffic | pooled, alpha/(K-1) | within strata, alpha/(K(K-1)/2) |")
    print("|---|---|---|---|")
    target = Target("at most 5 % within strata", largest=0.05)
    for number, (models, traffic, simulate) in enumerate(equal_models()):
        pooled, stratified = separated_shares(*simulate(np.random.default_rng([seed, number]), runs))
        cell = target.percent(f"{models} models, {traffic}", stratified)
        print(f"| {models} | {traffic} | {pooled:.1%} | {cell} |")
    target.report()


def equal_models() -> Iterator[tuple[int, str, Simulation]]:
    for models in (5, 10, 30):
        yield models, "even", even_traffic(models)
    for models in (10, 30):
        yield models, "Zipf", zipf_traffic(models)
    yield 10, "Thompson sampling", adaptive_traffic(10)
    yield 10, "used in turn, tasks get easier", in_turn(np.linspace(*EASIER_RATES, DAYS))
    for models, per_day in product((10, 30), (10, 20, 50)):
        yield models, f"{per_day} a day each, days correlated {DAY_CORRELATION}", bad_days(models, per_day)


def even_traffic(models: int) -> Simulation:
    def simulate(random: Random, runs: int) -> Counts:
        trials = np.full((runs, models, DAYS), float(TRIALS_A_DAY))
        return random.binomial(TRIALS_A_DAY, RATE, trials.shape).astype(float), trials

    return simulate


def zipf_traffic(models: int) -> Simulation:
    """Return the world in which the k-th model gets 1/k of the first one's trials."""
    share = 1 / np.arange(1, models + 1)
    expected = TRIALS_A_DAY * models * share / share.sum()

    def simulate(random: Random, runs: int) -> Counts:
        trials = random.poisson(expected[:, None], (runs, models, DAYS))
        return random.binomial(trials, RATE).astype(float), trials.astype(float)

    return simulate


def bad_days(models: int, per_day: int) -> Simulation:
    """Return the world in which each model has a rate of its own each day, around the same mean."""
    total = 1 / DAY_CORRELATION - 1

    def simulate(random: Random, runs: int) -> Counts:
        trials = np.full((runs, models, DAYS), float(per_day))
        rates = random.beta(RATE * total, (1 - RATE) * total, trials.shape)
        return random.binomial(per_day, rates).astype(float), trials

    return simulate


def adaptive_traffic(models: int) -> Simulation:
    def simulate(random: Random, runs: int) -> Counts:
        return worlds.thompson_counts(random, runs, models, ADAPTIVE_TRIALS_A_DAY, np.full(DAYS, RATE))

    return simulate


def separated_shares(successes: Array, trials: Array) -> tuple[float, float]:
    """Return the shares of runs with any pair ever separated: pooled, and within strata."""
    models = successes.shape[1]
    a, b = np.triu_indices(models, 1)
    is_separated = np.zeros((2, len(successes)), dtype=bool)
    for start in range(0, len(successes), RUNS_AT_ONCE):
        part = slice(start, start + RUNS_AT_ONCE)
        k, n = successes[part], trials[part]
        sums_k, sums_n = np.cumsum(k, axis=-1), np.cumsum(n, axis=-1)
        pooled = (sums_k[:, a], sums_n[:, a], sums_k[:, b], sums_n[:, b])
        with np.errstate(invalid="ignore", divide="ignore"):
            lower, upper = twin.difference_bounds(*pooled, DEFAULT, ALPHA / (models - 1))
        is_pooled = ((lower > 0) | (upper < 0)) & (np.minimum(pooled[1], pooled[3]) >= twin.MIN_TRIALS)
        strata = Strata.of(k[:, a], n[:, a], k[:, b], n[:, b]).accumulated()
        is_separated[0, part] = is_pooled.any(axis=(1, 2))
        is_separated[1, part] = strata.is_separated(ALPHA / len(a)).any(axis=(1, 2))
    pooled_share, stratified_share = is_separated.mean(axis=1)
    return float(pooled_share), float(stratified_share)


@dataclass(frozen=True)
class DemotionCase:
    models: str
    traffic: str
    simulate: Simulation
    is_worse: Flags
    is_incumbent_fixed: bool = True

    @property
    def incumbent(self) -> str:
        return "the first model" if self.is_incumbent_fixed else "the most used"


def demotion_cases() -> Iterator[DemotionCase]:
    identical = np.zeros(DEMOTION_MODELS, dtype=bool)
    easier = in_turn(np.linspace(*EASIER_RATES, DAYS))
    for is_fixed in (False, True):
        yield DemotionCase("identical", "used in turn, tasks get easier", easier, identical, is_fixed)
    yield DemotionCase("identical", "even", steady(np.full(DEMOTION_MODELS, RATE)), identical)
    bad = bad_days(DEMOTION_MODELS, 20)
    yield DemotionCase("identical", f"20 a day each, days correlated {DAY_CORRELATION}", bad, identical)
    last = np.arange(DEMOTION_MODELS) == DEMOTION_MODELS - 1
    yield DemotionCase(f"one at {WORSE_RATE}, nine at {RATE}", "even", steady(np.where(last, WORSE_RATE, RATE)), last)


def print_demotion(seed: int, runs: int) -> None:
    """Print the false-discovery rate of the list for demotion, and how soon it names a worse model."""
    print(f"## Demotion list with e-BH: {DEMOTION_MODELS} models, {DAYS} daily looks, {runs:,} runs\n")
    print("The false-discovery rate is the mean share of wrong models on the list of the last day. The columns `ever`")
    print("hold the mean of the largest share over all days.\n")
    print("| models | traffic | incumbent | pooled | pooled, ever | within strata | within strata, ever |")
    print("|---|---|---|---|---|---|---|")
    target = Target("a false-discovery rate of at most 5 % within strata", largest=0.05)
    sentences = []
    for number, case in enumerate(demotion_cases()):
        lists = demotion_lists(*case.simulate(np.random.default_rng([seed, number]), runs), case.is_incumbent_fixed)
        pooled, stratified = (false_discoveries(is_listed, case.is_worse) for is_listed in lists)
        name = f"{case.models}, {case.traffic}, {case.incumbent}"
        cells = (
            f"{pooled[:, -1].mean():.1%}",
            f"{pooled.max(axis=-1).mean():.1%}",
            target.percent(name, stratified[:, -1].mean()),
            target.percent(f"{name}, ever", stratified.max(axis=-1).mean()),
        )
        print(f"| {case.models} | {case.traffic} | {case.incumbent} | " + " | ".join(cells) + " |")
        if case.is_worse.any():
            sentences = [
                f"The worse model, {kind}: {listed(is_listed[:, case.is_worse])}."
                for kind, is_listed in zip(("pooled", "within strata"), lists, strict=True)
            ]
    target.report()
    print("\n".join(sentences) + "\n")


def listed(is_listed: Flags) -> str:
    """Return in how many runs a model is ever on the list, and since when (runs x 1 x days)."""
    day = twin.first_look(is_listed[:, 0])
    return f"listed in {np.isfinite(day).mean():.0%}, median day {np.median(day):.0f}"


def in_turn(rates: Array) -> Simulation:
    """Return the world in which each model gets most of the traffic for its share of the days, one after another."""
    turn = np.arange(DAYS) * DEMOTION_MODELS // DAYS
    share = np.full((DAYS, DEMOTION_MODELS), (1 - SHARE_IN_TURN) / (DEMOTION_MODELS - 1))
    share[np.arange(DAYS), turn] = SHARE_IN_TURN

    def simulate(random: Random, runs: int) -> Counts:
        by_day = [random.multinomial(DEMOTION_TRIALS_A_DAY, share[day], runs) for day in range(DAYS)]
        trials = np.stack(by_day, axis=-1)
        return random.binomial(trials, rates).astype(float), trials.astype(float)

    return simulate


def steady(rates: Array) -> Simulation:
    """Return the world in which each model keeps its rate and has as many trials as the others."""

    def simulate(random: Random, runs: int) -> Counts:
        trials = np.full((runs, len(rates), DAYS), DEMOTION_TRIALS_A_DAY // len(rates))
        return random.binomial(trials, rates[:, None]).astype(float), trials.astype(float)

    return simulate


def demotion_lists(successes: Array, trials: Array, is_incumbent_fixed: bool) -> tuple[Flags, Flags]:
    """Return who is on the list of each day (runs x models x days): pooled, and within strata.

    The incumbent is the first model, or the one with most trials in the last 30 days."""
    models = successes.shape[1]
    incumbents = np.zeros((len(successes), DAYS), dtype=int) if is_incumbent_fixed else most_used(trials)
    evidence, is_compared = np.zeros((2, *successes.shape)), np.zeros((2, *successes.shape), dtype=bool)
    sums_k, sums_n = np.cumsum(successes, axis=-1), np.cumsum(trials, axis=-1)
    for incumbent in np.unique(incumbents):
        one = slice(incumbent, incumbent + 1)
        is_other = (incumbents == incumbent)[:, None] & (np.arange(models) != incumbent)[:, None]
        k_a, n_a = sums_k[:, one], sums_n[:, one]
        with np.errstate(invalid="ignore", divide="ignore"):
            error = twin.squared_error(k_a, n_a, DEFAULT) + twin.squared_error(sums_k, sums_n, DEFAULT)
            pooled = twin.worse_e_value(sums_k / sums_n - k_a / n_a, error, n_a + sums_n)
            strata = Strata.of(successes[:, one], trials[:, one], successes, trials).accumulated()
            stratified = twin.worse_e_value(strata.difference, strata.squared_error, strata.trials)
        is_enough = (np.minimum(n_a, sums_n) >= twin.MIN_TRIALS, strata.is_enough)
        for number, (each, enough) in enumerate(zip((pooled, stratified), is_enough, strict=True)):
            evidence[number] = np.where(is_other, each, evidence[number])
            is_compared[number] |= is_other & enough
    selected = twin.e_bh(np.swapaxes(evidence, 2, 3), np.swapaxes(is_compared, 2, 3))
    pooled_lists, stratified_lists = np.swapaxes(selected, 2, 3)
    return pooled_lists, stratified_lists


def most_used(trials: Array) -> Array:
    """Return the model with most trials in the last 30 days (runs x days)."""
    total = np.concatenate([np.zeros((*trials.shape[:-1], 1)), np.cumsum(trials, axis=-1)], axis=-1)
    day = np.arange(1, trials.shape[-1] + 1)
    recent = total[..., day] - total[..., np.maximum(day - INCUMBENT_DAYS, 0)]
    result: Array = recent.argmax(axis=1)
    return result


def false_discoveries(is_listed: Flags, is_worse: Flags) -> Array:
    """Return the share of wrong models on each list (runs x days), 0 for an empty one."""
    wrong = (is_listed & ~is_worse[:, None]).sum(axis=1)
    share: Array = wrong / np.maximum(is_listed.sum(axis=1), 1)
    return share

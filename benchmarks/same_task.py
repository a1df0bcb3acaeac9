"""How well strength on the same tasks orders models if hard tasks go to strong ones, beside the plain success rate.

The verdicts are real. Each run draws eight of the models of SWE-bench Pro, and two of these try each task. Which two
depends on the difficulty of the task. The truth is each model's rate over all tasks.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from benchmarks import real_tasks, twin
from benchmarks.targets import Target
from benchmarks.twin import Array, Flags

SEED = 20260131
MODELS = 8
TRIES = 2
LOG_ODDS = (0, 2, 4, 6)
SMALLEST_CORRELATION = 0.93


def main(runs: int = 2000) -> None:
    print(f"## Same-task strength: {MODELS} real models, {TRIES} of them try each task, {runs:,} runs\n")
    data = real_tasks.folder()
    if data is None:
        print("Skipped: OUTCOMES_REAL_DATA does not name the folder of the real outcomes.\n")
        return
    shares, tasks, models = real_tasks.success_shares(real_tasks.outcomes(data / "swe-bench-pro-14.jsonl.gz"))
    print(f"{len(tasks)} tasks, {len(models)} models to draw from. The correlations are Spearman's with the truth.\n")
    print("| routing, log-odds | same-task strength | plain rate | best model right: same-task strength | plain rate |")
    print("|---|---|---|---|---|")
    target = Target(f"at least {SMALLEST_CORRELATION} each with same-task strength", smallest=SMALLEST_CORRELATION)
    for log_odds in LOG_ODDS:
        random = np.random.default_rng([SEED, log_odds])
        orders = np.array([estimates(random, shares, log_odds) for _ in range(runs)])  # runs x 3 x models
        truth, strength, rate = (orders[:, number] for number in range(3))
        correlations = [mean_correlation(each, truth) for each in (strength, rate)]
        best = [(np.argmax(each, axis=1) == np.argmax(truth, axis=1)).mean() for each in (strength, rate)]
        cell = target.cell(f"log-odds {log_odds}", correlations[0], f"{correlations[0]:.3f}")
        print(f"| {log_odds} | {cell} | {correlations[1]:.3f} | {best[0]:.0%} | {best[1]:.0%} |")
    target.report()


def estimates(random: np.random.Generator, shares: Array, log_odds: float) -> Array:
    """Return the true rate, the same-task strength and the plain rate of eight models (3 x models) in one run."""
    verdicts = shares[:, random.choice(shares.shape[1], MODELS, replace=False)]
    seen = np.where(routed(random, verdicts, log_odds), verdicts, np.nan)
    return np.stack([verdicts.mean(axis=0), twin.same_task_strength(seen), np.nanmean(seen, axis=0)])


def routed(random: np.random.Generator, verdicts: Array, log_odds: float) -> Flags:
    """Return who tries which task (tasks x models).

    The odds of the strongest model against the weakest one are `log_odds` on the hardest task, and the inverse on the
    easiest one. The largest of weights with Gumbel noise are a draw without replacement."""
    hardness = 1 - 2 * places(verdicts.mean(axis=1))
    strength = places(verdicts.mean(axis=0))
    weights = log_odds * hardness[:, None] * strength + random.gumbel(size=verdicts.shape)
    chosen: Flags = weights >= np.sort(weights, axis=1)[:, [-TRIES]]
    return chosen


def places(values: Array) -> Array:
    """Return the place of each value among all, from 0 for the smallest to 1 for the largest."""
    ranks = stats.rankdata(values)
    result: Array = (ranks - ranks.min()) / (ranks.max() - ranks.min())
    return result


def mean_correlation(estimate: Array, truth: Array) -> float:
    """Return the mean of Spearman's correlation over runs (rows)."""
    ranks = [stats.rankdata(each, axis=1) for each in (estimate, truth)]
    centred = [each - each.mean(axis=1, keepdims=True) for each in ranks]
    products = (centred[0] * centred[1]).sum(axis=1)
    return float((products / np.sqrt((centred[0] ** 2).sum(axis=1) * (centred[1] ** 2).sum(axis=1))).mean())


if __name__ == "__main__":
    main()

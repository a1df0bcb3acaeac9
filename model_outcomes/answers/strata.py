"""Differences of two arms inside strata: their sums, and the anytime-valid interval and evidence of the difference.

The formulas are those of macros/statistics/strata and macros/statistics/sequential. A figure that cannot be computed is
None. Sources: Mantel and Haenszel (1959); Liang and Zeger (1986); Waudby-Smith et al., arXiv 2103.06476.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Sequence
from math import exp, fsum, log, sqrt
from typing import NamedTuple

Configuration = tuple[str, ...]  # agent, effort, variant
Key = tuple[Configuration, Hashable]

LOGARITHMS = (-300.0, 700.0)  # of an e-value, as in macros/statistics/numbers/bounded_exp.sql


class Count(NamedTuple):
    """The trials and wins of one arm under a configuration on a day, at a task if it has one."""

    is_challenger: bool
    configuration: Configuration
    day: str
    task: str | None
    wins: int
    trials: int


class Stratum(NamedTuple):
    """The counts of both arms in one stratum."""

    incumbent_wins: int
    incumbent_trials: int
    challenger_wins: int
    challenger_trials: int


def shared(counts: Iterable[Count], min_shared_tasks: int, min_shared_task_share: float) -> list[Stratum]:
    """Return the strata in which both arms have trials.

    A stratum is a task in the configurations in which the arms share at least `min_shared_tasks` tasks, or
    `min_shared_task_share` of the tasks of the arm with fewer tasks. In the other configurations it is a day.
    """
    counts = list(counts)
    tasks = _summed(((each.configuration, each.task), each) for each in counts if each.task is not None)
    days = _summed(((each.configuration, each.day), each) for each in counts)
    shared_tasks = Counter(configuration for configuration, _ in tasks)
    tasks_of_arms = Counter(
        (arm, configuration)
        for arm, configuration, _ in {
            (each.is_challenger, each.configuration, each.task) for each in counts if each.task is not None
        }
    )
    by_task = {
        configuration
        for configuration, number in shared_tasks.items()
        if number >= min_shared_tasks
        or number >= min_shared_task_share * min(tasks_of_arms[arm, configuration] for arm in (False, True))
    }
    return [
        *(stratum for (configuration, _), stratum in tasks.items() if configuration in by_task),
        *(stratum for (configuration, _), stratum in days.items() if configuration not in by_task),
    ]


def shared_configurations(counts: Iterable[Count]) -> int:
    """Return the number of configurations under which both arms have trials."""
    return len(_summed(((each.configuration, None), each) for each in counts))


def naive_difference(pooled: Stratum) -> float | None:
    """Return the difference of the success rates of all trials."""
    if not pooled.incumbent_trials or not pooled.challenger_trials:
        return None
    return pooled.challenger_wins / pooled.challenger_trials - pooled.incumbent_wins / pooled.incumbent_trials


def difference(common: Sequence[Stratum]) -> tuple[float | None, float | None]:
    """Return the mean difference inside strata, weighted as by Mantel and Haenszel, and its squared standard error: the
    larger of the hypergeometric variance and the one that the strata show."""
    if not common:
        return None, None
    weights = [a * b / (a + b) for _, a, _, b in common]
    differences = [
        each.challenger_wins / each.challenger_trials - each.incumbent_wins / each.incumbent_trials for each in common
    ]
    weight = fsum(weights)
    mean = fsum(w * x for w, x in zip(weights, differences, strict=True)) / weight
    variance = fsum(_variance(each) for each in common) + 0.25
    robust = 0.0
    if len(common) > 1:
        deviations = fsum((w * (x - mean)) ** 2 for w, x in zip(weights, differences, strict=True))
        robust = len(common) / (len(common) - 1) * deviations
    return mean, max(variance, robust) / weight**2


def unpooled_squared_error(pooled: Stratum) -> float | None:
    """Return the squared standard error of the difference of all trials, as gbstats computes it; None if an arm only
    succeeded or only failed."""
    error = 0.0
    for wins, trials in (pooled[:2], pooled[2:]):
        if wins in (0, trials):
            return None
        error += wins * (trials - wins) / trials**3
    return error


def tuning(alpha: float, trials: float) -> float:
    """Return the parameter of the boundary, in trials, that makes it tightest near so many trials of both arms."""
    return trials / (log(1 - 2 * log(alpha)) - 2 * log(alpha))


def half_width(squared_error: float | None, trials: int, alpha: float, r: float) -> float | None:
    """Return half the width of the interval that is valid at every look."""
    if not squared_error or not trials:
        return None
    return sqrt(squared_error * (trials + r) / trials * log((trials + r) / (r * alpha**2)))


def bounds(middle: float | None, half: float | None) -> tuple[float | None, float | None]:
    """Return the ends of the interval of a difference, from -1 to 1."""
    return (None, None) if middle is None or half is None else (max(-1.0, middle - half), min(1.0, middle + half))


def e_value(middle: float | None, squared_error: float | None, trials: int, r: float) -> float | None:
    """Return the evidence against "no difference". It reaches 1/alpha when the interval excludes 0."""
    if middle is None or not squared_error:
        return None
    logarithm = (middle**2 / squared_error * trials / (trials + r) - log((trials + r) / r)) / 2
    return exp(max(LOGARITHMS[0], min(logarithm, LOGARITHMS[1])))


def is_confounded(naive: float | None, middle: float | None, half: float | None) -> int:
    """Return 1 if the difference of all trials has another sign than the one inside strata, or lies outside its
    interval; else 0, also without a common stratum. As in macros/statistics/strata/is_confounded.sql, the signs of
    differences of about a tenth of a point tell nothing."""
    if naive is None or middle is None:
        return 0
    return int(naive * middle < -1e-6 or (half is not None and abs(naive - middle) > half))


def _variance(stratum: Stratum) -> float:
    wins, trials = (
        stratum.incumbent_wins + stratum.challenger_wins,
        stratum.incumbent_trials + stratum.challenger_trials,
    )
    arms = stratum.incumbent_trials * stratum.challenger_trials
    return arms * wins * (trials - wins) / (trials**2 * (trials - 1))


def _summed(counts: Iterable[tuple[Key, Count]]) -> dict[Key, Stratum]:
    """Return the sums by key, of the keys that both arms have."""
    sums: dict[Key, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    for key, count in counts:
        place = 2 if count.is_challenger else 0
        sums[key][place] += count.wins
        sums[key][place + 1] += count.trials
    return {key: Stratum(*four) for key, four in sums.items() if four[1] and four[3]}

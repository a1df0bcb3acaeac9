"""All marts and tests over two years of 150 cells: a full build, and a build after one more day.

The log is short on purpose (three outcomes a day and cell): what takes time is the marts. Both the seconds that dbt
spends in its nodes and those of the whole command are given. Targets: 30 s for all of it, 10 s after one more day.
"""

from __future__ import annotations

import statistics
import time

from benchmarks import logs
from benchmarks.measuring import History, print_table

CELLS = logs.TASK_TYPES * logs.MODELS
ROWS = 3 * CELLS * logs.DAYS
ROUNDS = 3


def main(history: History) -> None:
    daily = History(history.path.parent, ROWS)
    seconds: dict[str, list[tuple[float, float]]] = {"everything": [], "one more day": []}
    for _ in range(ROUNDS):
        seconds["everything"].append(timed(daily, "--full-refresh"))
        daily.append(3 * CELLS)
        seconds["one more day"].append(timed(daily))
    print_table(
        f"Marts of {CELLS} cells over {logs.DAYS} days, {ROUNDS} rounds (targets: 30 s, 10 s)",
        ("build of", "in dbt's nodes", "the whole command"),
        [
            (name, *(f"{statistics.median(one):.1f} s" for one in zip(*all_, strict=True)))
            for name, all_ in seconds.items()
        ],
    )


def timed(history: History, *arguments: str) -> tuple[float, float]:
    """Seconds in dbt's nodes, and of the command."""
    begun = time.perf_counter()
    in_nodes = history.build(*arguments)
    return in_nodes, time.perf_counter() - begun

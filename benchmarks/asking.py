"""`model_stats` for one task type over a long history, with and without outcomes after the rollup.

The view adds what came after the last build to the rolled-up totals, so its time follows the
number of those and not the history. Targets for the 99th percentile: 25 ms with up to 10,000 of
them, 150 ms with 100,000.
"""

from __future__ import annotations

import time
from contextlib import closing
from itertools import cycle, islice

from benchmarks.measuring import TASK_TYPES, History, print_table, quantile
from model_outcomes.answers import queries
from model_outcomes.log import store

QUERIES = 300
NEWER = (0, 10_000, 100_000)


def main(history: History) -> None:
    history.build()
    latencies: dict[int, list[float]] = {}
    for newer, before in zip(NEWER, (0, *NEWER), strict=False):
        history.append(newer - before)
        latencies[newer] = ask(history)
    alone = quantile(latencies[0], 0.5)
    print_table(
        f"model_stats for one task type over {history.rows:,} outcomes"
        " (targets: p99 < 25 ms with up to 10,000 after the rollup, < 150 ms with 100,000)",
        ("after the rollup", "p50", "p99", "p50 ratio"),
        [
            (f"{newer:,}", *(f"{quantile(all_, share) * 1e3:.1f} ms" for share in (0.5, 0.99)),
             f"{quantile(all_, 0.5) / alone:.0f}")
            for newer, all_ in latencies.items()
        ],
    )  # fmt: skip


def ask(history: History) -> list[float]:
    """The latencies of one connection, in seconds."""
    latencies = []
    with closing(store.open_existing(history.path)) as connection:
        queries.stats(connection, TASK_TYPES[0])  # warms up
        for task_type in islice(cycle(TASK_TYPES), QUERIES):
            begun = time.perf_counter()
            answer = queries.stats(connection, task_type)
            latencies.append(time.perf_counter() - begun)
            assert len(answer) == 10
    return latencies

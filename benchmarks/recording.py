"""Measures how long `ModelOutcomes.record` takes while dbt builds and refreshes over a long history.

One process records up to a hundred outcomes a second, by turns alone, beside a build of 10,000 new outcomes, and
beside a full refresh. Target: no outcome waits 250 ms.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.measuring import History, print_table, quantile
from model_outcomes import ModelOutcomes

ROUNDS = 3
NEW_ROWS = 10_000
IDLE_SECONDS = 30
PAUSE = 0.01

Latencies = list[float]


def main(history: History) -> None:
    turns: dict[str, Callable[[], object]] = {
        "nobody": lambda: time.sleep(IDLE_SECONDS),
        "a build": history.build,
        "a full refresh": lambda: history.build("--full-refresh"),
    }
    latencies: dict[str, Latencies] = {name: [] for name in turns}
    for _ in range(ROUNDS):
        for name, turn in turns.items():
            history.append(NEW_ROWS)
            latencies[name] += while_recording(history.path, turn)
    print_table(
        f"Recording over {history.rows:,} outcomes (target: worst < 250 ms)",
        ("beside", "recorded", "p50", "p99", "worst"),
        [
            (name, f"{len(all_):,}", *(f"{quantile(all_, share) * 1e3:.2f} ms" for share in (0.5, 0.99, 1.0)))
            for name, all_ in latencies.items()
        ],
    )


def while_recording(path: Path, turn: Callable[[], object]) -> Latencies:
    """The latencies, in seconds, of a recorder at work while `turn` runs."""
    context = multiprocessing.get_context("spawn")
    ready, stop, queue = context.Event(), context.Event(), context.Queue()
    recorder = context.Process(target=_record, args=(path, ready, stop, queue))
    recorder.start()
    ready.wait()
    turn()
    stop.set()
    latencies: Latencies = queue.get()
    recorder.join()
    return latencies


def _record(path: Path, ready, stop, queue) -> None:  # type: ignore[no-untyped-def]
    latencies = []
    with ModelOutcomes(path) as outcomes:
        outcomes.record("task-00", "model-00", True)  # warms up
        ready.set()
        while not stop.is_set():
            begun = time.perf_counter()
            outcomes.record("task-00", "model-00", True, tokens_used=100, cost_usd=0.01)
            latencies.append(time.perf_counter() - begun)
            time.sleep(PAUSE)
    queue.put(latencies)

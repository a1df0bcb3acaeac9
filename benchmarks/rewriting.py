"""One outcome recorded, against the way of old tools: read a JSON file of totals, change a cell, write it anew.

The file's way costs more the more cells there are, and two writers at once lose outcomes; it does not sync.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import outcomes
from benchmarks.measuring import print_table
from model_outcomes import ModelOutcomes

ROUNDS = 7
OUTCOMES = 50
CELLS = (100, 1_000, 10_000)


def main(folder: Path) -> None:
    outcomes.fresh_log(folder, "rewriting.db").close()
    with ModelOutcomes(folder / "rewriting.db", durability="normal") as log:
        table = [_measure(log, folder / "totals.json", cells) for cells in CELLS]
    print_table(
        f"One outcome, {ROUNDS} rounds of {OUTCOMES} (durability normal)",
        ("cells", "JSON file rewritten", "record", "times as long"),
        table,
    )


def _measure(log: ModelOutcomes, path: Path, cells: int) -> tuple[str, ...]:
    cell = {"successes": 42, "failures": 3, "timeouts": 1, "totalTokens": 12345, "totalCost": 0.1, "successRate": 0.93}
    path.write_text(
        json.dumps({f"task-{n}": {f"model-{m}": dict(cell) for m in range(10)} for n in range(cells // 10)})
    )

    def rewrite() -> None:
        totals = json.loads(path.read_text())
        totals["task-7"]["model-7"]["successes"] += 1
        path.write_text(json.dumps(totals, indent=2))

    sides: list[tuple[int, Callable[[], object]]] = [(0, rewrite), (1, lambda: log.record("task-7", "model-7", True))]
    seconds: tuple[list[float], list[float]] = ([], [])
    for number, (side, run) in outcomes.by_turns(sides, ROUNDS):
        begun = time.perf_counter()
        for _ in range(OUTCOMES):
            run()
        if number:
            seconds[side].append((time.perf_counter() - begun) / OUTCOMES)
    old, new = map(statistics.median, seconds)
    return f"{cells:,}", f"{old * 1e3:.2f} ms", f"{new * 1e3:.3f} ms", f"**{old / new:.0f}**"

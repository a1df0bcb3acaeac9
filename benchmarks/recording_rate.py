"""`ModelOutcomes.record` against a bare sqlite3 INSERT of ready-made values.

Both write into a log with its CHECKs, triggers and indexes, in WAL mode, one transaction an outcome, once with
synchronous=NORMAL on both sides and once with FULL. Target: at least 0.8 of the bare rate. CPU is user and system
time; on a machine that others use too it is the steadier figure.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import outcomes
from benchmarks.measuring import paired_ratio, print_table
from model_outcomes import ModelOutcomes
from model_outcomes.log.outcome import INSERTS

ROUNDS = 7
OUTCOMES = 3_000


def main(folder: Path) -> None:
    table = []
    for durability in ("normal", "full"):
        seconds = _measure(folder, durability)
        for clock, (bare, ours) in seconds.items():
            table.append(
                (
                    durability,
                    clock,
                    *(f"{OUTCOMES / statistics.median(side):,.0f}/s" for side in (bare, ours)),
                    f"**{paired_ratio(bare, ours):.2f}**",
                )
            )
    print_table(
        f"Recording {OUTCOMES:,} outcomes one by one, {ROUNDS} rounds (target: >= 0.8 of the bare rate)",
        ("durability", "clock", "bare INSERT", "record", "ratio"),
        table,
    )


def _measure(folder: Path, durability: str) -> dict[str, tuple[list[float], list[float]]]:
    """Seconds of both sides by clock."""
    ready = outcomes.rows(OUTCOMES * (ROUNDS + 1))
    values = [{**each, "event_id": None, "timestamp": None} for each in outcomes.invented(len(ready))]
    # Neither side names its events.
    ready = [(*row[:7], None, *row[8:]) for row in ready]
    bare = outcomes.fresh_log(folder, "bare.db", durability)
    outcomes.fresh_log(folder, "record.db", durability).close()
    found: dict[str, tuple[list[float], list[float]]] = {"wall": ([], []), "cpu": ([], [])}
    with ModelOutcomes(folder / "record.db", durability=durability) as log:

        def insert(part: slice) -> None:
            for row in ready[part]:
                bare.execute(INSERTS[len(row)], row)

        def record(part: slice) -> None:
            for each in values[part]:
                log.record(**each)

        sides: list[tuple[int, Callable[[slice], None]]] = [(0, insert), (1, record)]
        for number, (side, run) in outcomes.by_turns(sides, ROUNDS):
            part = slice(number * OUTCOMES, (number + 1) * OUTCOMES)
            wall, cpu = time.perf_counter(), time.process_time()
            run(part)
            taken = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
            if number:
                for clock, each in taken.items():
                    found[clock][side].append(each)
    bare.close()
    return found

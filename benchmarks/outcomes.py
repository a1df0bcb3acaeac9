"""Invented outcomes for the benchmarks of recording and loading: as values, JSON Lines, CSV and rows of the log."""

from __future__ import annotations

import csv
import itertools
import json
import random
import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from model_outcomes.log import store, validation

START = datetime(2026, 1, 1, tzinfo=timezone.utc)


def invented(count: int) -> Iterator[dict[str, Any]]:
    """The same ones each time: 150 cells, in order of time, with a value in every column, as `.import` has no null."""
    dice = random.Random(7)
    for number in range(count):
        moment = START + timedelta(seconds=number * 7, microseconds=dice.randrange(10**6))
        yield {
            "task_type": f"task-{number % 15:02d}",
            "model_id": f"model-{number // 15 % 10:02d}",
            "success": dice.random() < 0.8,
            "timestamp": moment.isoformat(timespec="microseconds").replace("+00:00", "Z"),
            "cost_usd": round(dice.random(), 4),
            "event_id": f"run-{number // 50}/attempt-{number % 50}-{dice.randrange(10**9)}",
            "task_id": f"T-{number // 3}",
            "experiment_id": "prompts-2026",
            "recorded_by": "agent-7",
            "duration_ms": dice.randrange(60_000),
            "input_tokens": dice.randrange(20_000),
            "output_tokens": dice.randrange(2_000),
            "error_type": "tests_failed",
            "cost_source": "provider",
        }


def rows(count: int) -> list[tuple[Any, ...]]:
    """Ready to be inserted with `outcome.INSERT`."""
    return [validation.parse_fields(values).row() for values in invented(count)]


def write_jsonl(path: Path, count: int) -> None:
    with path.open("w") as file:
        file.writelines(f"{json.dumps(values)}\n" for values in invented(count))


def write_csv(path: Path, ready: list[tuple[Any, ...]]) -> None:
    """Rows as sqlite3's `.import` wants them: every column of the log, the id too, flags as 0 and 1."""
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(
            (number, row[0], row[1], int(row[2]), int(row[3]), *row[4:]) for number, row in enumerate(ready, 1)
        )


def fresh_log(folder: Path, name: str, durability: str = "normal") -> sqlite3.Connection:
    """An empty log, guards and indexes on, opened as the loader opens it."""
    for path in folder.glob(f"{name}*"):
        path.unlink()
    return store.create_or_open(folder / name, durability=durability)


def by_turns(sides: list[Any], rounds: int) -> Iterator[tuple[int, Any]]:
    """Each side once a round, in another order each time; the first round warms up and is numbered 0."""
    orders = itertools.cycle([sides, sides[::-1]])
    for number in range(rounds + 1):
        for side in next(orders):
            yield number, side

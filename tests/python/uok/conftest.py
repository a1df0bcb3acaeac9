"""An orchestrator's database, as its own program makes and fills it."""

import random
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

TABLE = """
create table llm_task_outcomes (
    id integer primary key autoincrement, model_id text not null, provider text not null, unit_type text not null,
    unit_id text not null, succeeded integer not null, retries integer not null default 0,
    escalated integer not null default 0, verification_passed integer, blocker_discovered integer not null default 0,
    duration_ms integer, tokens_total integer, cost_usd real, recorded_at integer not null
)
"""
# As loose as SQLite lets a table be.
LOOSE_TABLE = "create table llm_task_outcomes (unit_id, recorded_at, succeeded, unit_type, model_id, cost_usd, extra)"
START = 1_770_000_000_000
MODELS = [
    ("openhub/cirrus-mini", "openhub"),  # an alias of the seed
    ("aurora-large-2026-04-02", "aurora"),  # another one
    ("openhub/dune-coder", "openhub"),  # of which the log has the bare name
    ("kimi-coding/k2p5", "kimi-coding"),  # which nobody else knows
    ("cirrus-mini", "rim"),
]


def unit(number: int, **fields: Any) -> dict[str, Any]:
    """A unit of work; each has its own identity, and what chance gives it is the same every time."""
    chance = random.Random(number)
    model_id, provider = chance.choice(MODELS)
    return {
        "model_id": model_id,
        "provider": provider,
        "unit_type": chance.choice(["execute-task", "research-slice", "plan-slice"]),
        "unit_id": f"M001/S{number % 40:02}/T{number}",
        "succeeded": int(chance.random() < 0.8),
        "retries": chance.choice([0, 0, 1]),
        "verification_passed": chance.choice([None, 0, 1]),
        "duration_ms": chance.choice([None, 1_500, 90_000]),
        "tokens_total": chance.choice([None, 0, 1_234, 98_765]),
        "cost_usd": chance.choice([None, 0, 0.1, 0.0123456789]),
        "recorded_at": START + number * 1_001,
        **fields,
    }


class Orchestrator:
    """The database, and connections to it that are closed again."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def execute(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            return connection.execute(sql, values).fetchall()

    def add(self, units: Iterable[dict[str, Any]]) -> None:
        with closing(sqlite3.connect(self.path)) as connection, connection:
            for row in units:
                connection.execute(
                    f"insert into llm_task_outcomes ({', '.join(row)}) values ({', '.join('?' * len(row))})",
                    list(row.values()),
                )


@pytest.fixture
def orchestrator(tmp_path: Path) -> Orchestrator:
    """With its table, in WAL mode, and no rows."""
    uok = Orchestrator(tmp_path / "uok.db")
    uok.execute("pragma journal_mode = wal")
    uok.execute(TABLE)
    return uok

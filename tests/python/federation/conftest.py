"""Projects that exchange figures: copies of one empty database that was built once, views and all.

The views are live, so a project needs no build of its own: what is written to its log, its ledger or its
seeds counts at once.
"""

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from loader.cli import main

ROOT = Path(__file__).parents[3]
COLUMNS = ("task_type", "model_id", "success", "timeout", "tokens_used", "cost_usd", "timestamp", "error_type",
           "cost_source")  # fmt: skip


@dataclass
class Project:
    """A database, and its command line."""

    database: Path

    def run(self, *arguments: object, input: bytes | None = None) -> Result:
        result = CliRunner().invoke(main, ["--db", str(self.database), *map(str, arguments)], input=input)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    def write(self, statement: str, rows: Iterable[tuple[Any, ...]] = ((),)) -> None:
        with closing(sqlite3.connect(self.database)) as connection, connection:
            connection.executemany(statement, rows)

    def query(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(self.database)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(statement, values)]

    def record(self, outcomes: Iterable[dict[str, Any]]) -> None:
        plain = dict.fromkeys(COLUMNS) | {
            "task_type": "code", "model_id": "able", "success": 1, "timeout": 0, "tokens_used": 0, "cost_usd": 0.0,
            "timestamp": "2024-01-15T12:00:00Z",
        }  # fmt: skip
        self.write(
            f"insert into model_outcomes ({', '.join(COLUMNS)}) values ({', '.join('?' * len(COLUMNS))})",
            [tuple({**plain, **outcome}[name] for name in COLUMNS) for outcome in outcomes],
        )

    def record_unguarded(self, outcomes: Iterable[dict[str, Any]]) -> None:
        """Rows that the log refuses today, as an old log has them."""
        (guard,) = self.query("select sql from sqlite_master where name = 'model_outcomes_refuse_insert'")
        self.write("drop trigger model_outcomes_refuse_insert")
        self.record(outcomes)
        self.write(guard["sql"])

    def balance(self, task_type: str, model_id: str, successes: int, failures: int) -> None:
        self.write(
            "insert into load_history (source, format, start_offset, end_offset, end_line, head_bytes, head_sha256,"
            " tail_sha256, started_at) values ('old.json', 'legacy-json', 0, 0, 0, 0, '', '', '')"
        )
        self.write(
            "insert into legacy_model_stats values ((select max(load_id) from load_history), ?, ?, ?, ?, 0, 700, 9, ?)",
            [(task_type, model_id, successes, failures, "2024-01-01T00:00:00Z")],
        )

    def export(self, *arguments: object, until: str | None = "2024-01-31") -> list[dict[str, Any]]:
        """The exports of the file that is written, each as its header with its `cells`."""
        file = self.database.with_suffix(".export.jsonl")
        file.unlink(missing_ok=True)
        done = self.run("export-federated", "-o", file, *(("--until", until) if until else ()), *arguments)
        assert done.exit_code == 0, done.output
        return sections(file) if file.exists() else []

    def take(self, *files: Path) -> Result:
        done = self.run("import-federated", *files)
        assert done.exit_code == 0, done.output
        return done

    @property
    def file(self) -> Path:
        """What was exported last."""
        return self.database.with_suffix(".export.jsonl")


def sections(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for line in file.read_text().splitlines():
        values = json.loads(line)
        if values["line"] == "header":
            found.append({**values, "cells": {}})
        else:
            found[-1]["cells"][values["task_type"], values["model_id"]] = values
    return found


def times(number: int, **outcome: Any) -> list[dict[str, Any]]:
    return [outcome] * number


@pytest.fixture(scope="session")
def built(built_empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty log, built."""
    database = Path(shutil.copy(built_empty, tmp_path_factory.mktemp("built")))
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("delete from model_aliases")
        connection.commit()
        connection.execute("pragma wal_checkpoint(truncate)")
    return database


@pytest.fixture
def new_project(built: Path, tmp_path: Path) -> Callable[[str], Project]:
    return lambda name: Project(Path(shutil.copy(built, tmp_path / f"{name}.db")))


@pytest.fixture
def project(new_project: Callable[[str], Project]) -> Project:
    return new_project("own")


ROW = {
    "line": "row", "task_type": "code", "model_id": "able", "n": 50, "successes": 40, "timeouts": 1,
    "infrastructure_failures": 0, "metered": 2, "priced": 2, "priced_successes": 1, "tokens": 30,
    "tokens_squared": 500.0, "cost_nano_usd": 3 * 10**9, "cost_usd_squared": 5.0, "success_cost_nano_usd": 10**9,
    "infrastructure_tokens": 0, "infrastructure_cost_nano_usd": 0, "first_day": "2024-01-02", "last_day": "2024-01-30",
}  # fmt: skip
HEADER = {
    "line": "header", "format": "federated_stats", "version": 1, "project": "ab" * 16,
    "window": "2024-01-01/2024-01-31", "as_of": "2024-02-01T09:00:00Z", "licence": "CC0-1.0",
    "privacy": {"min_outcomes": 10, "epsilon": None, "mechanism": None},
}  # fmt: skip


def export_text(*rows: dict[str, Any] | str, **header: Any) -> bytes:
    """An export as a stranger would write it: by hand, with the right digest unless another is given."""
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    body = "".join(line + "\n" for line in lines).encode()
    head = {**HEADER, "rows": len(rows), "sha256": hashlib.sha256(body).hexdigest(), **header}
    return json.dumps(head).encode() + b"\n" + body

"""Databases built by the project itself, from logs that the tests make."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

PROJECT = Path(__file__).parents[3]
ORIGINAL_INSERT = (
    "insert into model_outcomes (task_type, model_id, success, timeout, tokens_used, cost_usd, timestamp)"
    " values (?, ?, ?, ?, ?, ?, ?)"
)


def outcome(**fields: Any) -> dict[str, Any]:
    return {"task_type": "code", "model_id": "able", "success": True, "timestamp": "2026-03-01T12:00:00Z", **fields}


class Warehouse(SimpleNamespace):
    """A database and the dbt project that builds it."""

    def loader(self, *arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
        environment = {**os.environ, "OUTCOMES_PROJECT": str(self.project), "OUTCOMES_DB": str(self.database)}
        done = subprocess.run(
            [sys.executable, "-c", "from loader.cli import main; main()", *map(str, arguments)],
            env=environment, capture_output=True, text=True, cwd=self.database.parent,
        )  # fmt: skip
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def build(self, *selected: str) -> None:
        """Build it all, or no more than the dbt nodes that the test is about: each takes a twentieth of a second."""
        self.loader("build", "--quiet", *(["--select", " ".join(selected)] if selected else []))

    def copy_to(self, folder: Path) -> "Warehouse":
        """Return a copy of this database and of what dbt keeps beside it, for a test that changes it."""
        shutil.copytree(self.database.parent, folder, dirs_exist_ok=True)
        return Warehouse(project=self.project, database=folder / self.database.name)

    def load(self, outcomes: Iterable[dict[str, Any]]) -> None:
        file = self.database.parent / f"{len(list(self.database.parent.iterdir()))}.jsonl"
        file.write_text("".join(json.dumps(row) + "\n" for row in outcomes), encoding="utf-8")
        self.loader("load", file)

    def query(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        connection = sqlite3.connect(self.database)
        try:
            return connection.execute(sql, parameters).fetchall()
        finally:
            connection.close()

    def rows(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        """Rows as mappings from column to value."""
        with closing(sqlite3.connect(self.database)) as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute(sql, parameters)]

    def write(self, sql: str, *parameters: Any) -> None:
        """From another process: a client that knows nothing of the loader."""
        script = (
            "import json, sqlite3, sys; client = sqlite3.connect(sys.argv[1]);"
            "client.execute(sys.argv[2], json.loads(sys.argv[3])); client.commit()"
        )
        subprocess.run([sys.executable, "-c", script, self.database, sql, json.dumps(parameters)], check=True)


@pytest.fixture
def new_warehouse(tmp_path: Path) -> Warehouse:
    """An empty log, not built."""
    return empty_log(tmp_path)


def empty_log(folder: Path) -> Warehouse:
    warehouse = Warehouse(project=PROJECT, database=folder / "outcomes.db")
    warehouse.loader("init")
    return warehouse


@pytest.fixture
def own_project(tmp_path: Path) -> Path:
    return copy_of_project(tmp_path / "project")


def copy_of_project(project: Path) -> Path:
    """A copy of the dbt project, for tests that change its seeds."""
    for name in ("models", "macros", "seeds", "workspace", "analyses", "tests/generic", "tests/singular"):
        if (PROJECT / name).exists():
            shutil.copytree(PROJECT / name, project / name)
    for name in ("dbt_project.yml", "profiles.yml", ".dbtignore"):
        shutil.copy(PROJECT / name, project)
    return project

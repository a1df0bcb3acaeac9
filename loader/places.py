"""Where things lie: all that is kept beside a database, and what names another place for it."""

from __future__ import annotations

import os
from pathlib import Path


def build_folder(database: Path) -> Path:
    """Where builds keep their lock, logs and artifacts: `<file>.build`."""
    return Path(f"{database}.build")


def load_lock(database: Path) -> Path:
    """What a load of files holds: `<file>.load.lock`."""
    return Path(f"{database}.load.lock")


def spool(database: Path) -> Path:
    """Where outcomes wait that the database could not take: `OUTCOMES_SPOOL`, else `<file>.spool.jsonl`."""
    return _named("OUTCOMES_SPOOL") or Path(f"{database}.spool.jsonl")


def published(database: Path) -> Path:
    """Where a run leaves what passed its tests: `OUTCOMES_PUBLISH`, else published/ beside the database."""
    return _named("OUTCOMES_PUBLISH") or database.parent / "published"


def snapshot(database: Path) -> Path:
    """The published snapshot of the marts, an SQLite file."""
    return published(database) / "model_outcomes.db"


def runs(database: Path) -> Path:
    """Where each run leaves its summary and results: `OUTCOMES_RUNS`, else runs/ beside the database."""
    return _named("OUTCOMES_RUNS") or database.parent / "runs"


def _named(variable: str) -> Path | None:
    text = os.environ.get(variable)
    return Path(os.path.abspath(text)) if text else None  # noqa: PTH100 - as store.absolute

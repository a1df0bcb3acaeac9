"""Where things lie: all that is kept beside a database, and what names another place for it."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

SNAPSHOT = "model_outcomes.db"


def build_folder(database: Path, target: str = "sqlite") -> Path:
    """Where builds keep their lock, logs and artifacts: `<file>.build`, `<file>.<target>.build` on other engines."""
    return Path(f"{database}.build" if target == "sqlite" else f"{database}.{target}.build")


def spark(database: Path) -> Path:
    """What Spark builds, and knows of it: `OUTCOMES_SPARK`, else `<file>.spark`."""
    return _named("OUTCOMES_SPARK") or Path(f"{database}.spark")


def parquet_log(database: Path) -> Path:
    """Where the log lies as Parquet files: `OUTCOMES_PARQUET`, else `<file>.parquet`."""
    return _named("OUTCOMES_PARQUET") or Path(f"{database}.parquet")


def duckdb(database: Path) -> Path:
    """What DuckDB builds: `OUTCOMES_DUCKDB`, else `<file>.duckdb`."""
    return _named("OUTCOMES_DUCKDB") or Path(f"{database}.duckdb")


def load_lock(database: Path) -> Path:
    """What a load of files holds: `<file>.load.lock`."""
    return Path(f"{database}.load.lock")


def federation_lock(database: Path) -> Path:
    """What an export of statistics holds: `<file>.federation.lock`."""
    return Path(f"{database}.federation.lock")


def spool(database: Path) -> Path:
    """Where outcomes wait that the database could not take: `OUTCOMES_SPOOL`, a file or a folder
    that is there, else `<file>.spool.jsonl`."""
    named = _named("OUTCOMES_SPOOL")
    if named and _is_folder(named):
        return named / _own_name(database)
    return named or Path(f"{database}.spool.jsonl")


def spools(database: Path) -> list[Path]:
    """Return every path where outcomes of this database may wait, in the order in which they are tried:
    its spool, the file beside it, one in the user's folder of state (XDG)."""
    return list(dict.fromkeys([spool(database), *own_spools(database)]))


def own_spools(database: Path) -> list[Path]:
    """Return the spools whose names we choose."""
    names = [Path(f"{database}.spool.jsonl")]
    named = _named("OUTCOMES_SPOOL")
    if named and _is_folder(named):
        names.append(named / _own_name(database))
    state = os.path.expanduser(os.environ.get("XDG_STATE_HOME") or "~/.local/state")  # noqa: PTH111 - it may fail
    if os.path.isabs(state):  # noqa: PTH117 - as above: there is no home
        names.append(Path(state) / "model-outcomes" / _own_name(database))
    return names


def published(database: Path) -> Path:
    """Where a run leaves what passed its tests: `OUTCOMES_PUBLISH`, else published/ beside the database."""
    return _named("OUTCOMES_PUBLISH") or database.parent / "published"


def snapshot(database: Path) -> Path:
    """The published snapshot of the marts, an SQLite file."""
    return published(database) / SNAPSHOT


def runs(database: Path) -> Path:
    """Where each run leaves its summary and results: `OUTCOMES_RUNS`, else runs/ beside the database."""
    return _named("OUTCOMES_RUNS") or database.parent / "runs"


def _named(variable: str) -> Path | None:
    text = os.environ.get(variable)
    return Path(os.path.abspath(text)) if text else None  # noqa: PTH100 - as store.absolute


@cache
def sha256() -> Any:
    """Return the hash function. `loader record` starts without it; a program that may still record when Python ends,
    and imports nothing any more, calls this before."""
    import hashlib

    return hashlib.sha256


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises if a folder above it may not be entered


def _own_name(database: Path) -> str:
    """A name for a folder that several databases share; a long one is cut, as a name has 255 bytes at most."""
    digest = sha256()(os.fsencode(os.path.realpath(database))).hexdigest()
    name = os.fsdecode(os.fsencode(database.name)[:150])
    return f"{name}-{digest[:12]}.spool.jsonl"

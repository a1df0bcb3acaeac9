"""Spools of a database that has moved.

The name of a spool in the user's state folder is made of the database's path. A note beside it says which log it is
for, so that a drain finds it after the database or its folder was renamed.
"""

from __future__ import annotations

import hashlib
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

from model_outcomes.base import outputs, paths
from model_outcomes.base.errors import OutcomesError
from model_outcomes.log import store

NOTE = ".of.json"


def note(database: Path, spool: Path) -> None:
    """Write a note beside a spool, once, that says which log it is for. A log without outcomes gets no note, because
    nothing identifies it."""
    path = Path(f"{spool}{NOTE}")
    if path.exists():
        return
    with suppress(OutcomesError, sqlite3.Error, OSError, UnicodeError):
        with closing(store.open_existing(database, is_current=False)) as connection:
            marks = _marks(connection)
        if marks["outcome"]:
            with outputs.replacing(path, is_private=True) as unfinished:
                unfinished.write_text(json.dumps({"database": os.path.realpath(database), **marks}), encoding="utf-8")


def moved_spools(connection: sqlite3.Connection) -> Iterator[Path]:
    """Yield the spools in the state folder that are for this log, and for a path that no longer exists."""
    folder = paths.state_folder()
    if folder is None:
        return
    marks = _marks(connection)
    for path in sorted(folder.glob(f"*{NOTE}")):
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            is_moved = not Path(content["database"]).exists()
            is_same = content["outcome"] == marks["outcome"] and content["load"] in (None, marks["load"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if is_moved and is_same:
            yield path.with_name(path.name.removesuffix(NOTE))


def _marks(connection: sqlite3.Connection) -> dict[str, str | None]:
    """Return digests of the first outcome and the first load, which never change in a log. None if it has no row."""
    queries = {
        "outcome": "select id, task_type, model_id, success, timestamp from model_outcomes order by 1 limit 1",
        "load": "select load_id, source, started_at from load_history order by load_id limit 1",
    }
    rows = {name: connection.execute(query).fetchone() for name, query in queries.items()}
    return {name: hashlib.sha256(repr(row).encode()).hexdigest() if row else None for name, row in rows.items()}

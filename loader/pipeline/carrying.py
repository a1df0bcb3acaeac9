"""A run on another engine: its log goes there before the build, and the marts come back after it.

They come as temporary tables beside the log. SQLite looks a name up among those first, so that whatever reads the
marts from there on - findings, changes, the report, the snapshot - reads them as if they had been built here.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from loader import places, store
from loader.engines import asking, parquet_log, postgres_log, targets
from loader.engines.log_tables import Export
from loader.pipeline.marts import TYPES, Mart

CONVERTERS: dict[str, Callable[[Any], Any]] = {"text": str, "integer": int, "real": float}


def carry_out(connection: sqlite3.Connection, database: Path, target: str) -> Export:
    """Bring the engine's copy of the log up to the log. Raises OutcomesError where it cannot be reached."""
    targets.expect_installed(target)
    if target == "postgres":
        return postgres_log.export(connection, targets.dsn(None))
    return parquet_log.export(connection, places.parquet_log(database))


def bring_back(connection: sqlite3.Connection, database: Path, target: str, marts: Sequence[Mart]) -> None:
    """Let the marts that the engine built stand before those of the database, on this connection alone.

    Raises NotBuiltError where one of them is missing there.
    """
    with asking.opened(database, target) as engine:
        for mart in marts:
            cursor = engine.execute(f"select * from {mart.name}")
            columns = [mart.column(column[0]) for column in cursor.description]
            _keep(
                connection,
                mart.name,
                {column.name: column.typed(TYPES, "text") for column in columns},
                cursor.fetchall(),
            )


def _keep(connection: sqlite3.Connection, name: str, types: dict[str, str], rows: list[Any]) -> None:
    """Other engines have wide integers, decimals and dates; the contract says what is meant by them."""
    declared = ", ".join(f"{store.quoted(column)} {type}" for column, type in types.items())
    converters = [CONVERTERS[type] for type in types.values()]
    with store.transaction(connection):
        connection.execute(f"create temporary table {store.quoted(name)} ({declared}) strict")
        connection.executemany(
            f"insert into temp.{store.quoted(name)} values ({', '.join('?' * len(types))})",
            (
                [None if value is None else convert(value) for convert, value in zip(converters, row, strict=True)]
                for row in rows
            ),
        )

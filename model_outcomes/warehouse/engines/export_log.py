"""Exports the log to the place from which an engine reads it, as `loader run` does before it builds."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from model_outcomes.base import paths
from model_outcomes.warehouse.engines import parquet_log, postgres_log, targets
from model_outcomes.warehouse.engines.log_tables import Export


def export(connection: sqlite3.Connection, database: Path, target: str) -> Export:
    """Export what is new in the log of `database`, open as `connection`, to the place from which `target` reads it.

    Raises OutcomesError if the engine cannot be reached, or has another log; BusyError if another export is running.
    """
    targets.expect_possible(target)
    if target in targets.IN_PLACE:
        return parquet_log.export(connection, paths.parquet_log(database))
    return postgres_log.export(connection, targets.dsn(None))

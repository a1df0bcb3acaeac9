"""The log, brought to where an engine reads it: what `export-log` does by hand, a run does before it builds."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from model_outcomes.base import paths
from model_outcomes.warehouse.engines import parquet_log, postgres_log, targets
from model_outcomes.warehouse.engines.log_tables import Export


def carry(connection: sqlite3.Connection, database: Path, target: str) -> Export:
    """Carry over what is new in the log of `database`, open as `connection`, to where `target` reads it.

    Raises OutcomesError where the engine cannot be reached, or has another log; BusyError while another
    export is at it.
    """
    targets.expect_possible(target)
    if target in targets.IN_PLACE:
        return parquet_log.export(connection, paths.parquet_log(database))
    return postgres_log.export(connection, targets.dsn(None))

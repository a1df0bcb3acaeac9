"""Checks the engines, their paths and their packages, and returns the variables that dbt's profile reads."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

from model_outcomes.base import outputs, paths
from model_outcomes.base.engines import SQLITE
from model_outcomes.base.errors import NotInstalledError, OutcomesError, missing
from model_outcomes.warehouse.engines import parquet_log

# Engines that read the exported files in place: dbt tells them the folder before it builds.
IN_PLACE = ("duckdb", "spark")

# The variables of libpq, and their names in a DSN.
POSTGRES_VARIABLES = {
    "PGHOST": "host",
    "PGPORT": "port",
    "PGUSER": "user",
    "PGPASSWORD": "password",
    "PGDATABASE": "dbname",
    "PGOPTIONS": "options",
}


def expect_possible(target: str) -> None:
    """Raise OutcomesError if this machine cannot use the engine: its packages, its address or Java is missing."""
    if target == SQLITE:
        return
    if missing(f"dbt.adapters.{target}"):
        raise NotInstalledError(f"dbt-{target}", target)
    if target == "postgres":
        postgres_variables(dsn(None))
    if target == "spark" and not (os.environ.get("JAVA_HOME") or shutil.which("java")):
        raise OutcomesError("Spark needs Java 17 or later: install it and put `java` in the path, or set JAVA_HOME")


def check_places(database: Path, target: str) -> None:
    """Raise OutcomesError if a build on `target` would write to a file or folder of another program."""
    if target in IN_PLACE:
        outputs.check(paths.parquet_log(database), database, "exported log", Path.is_dir, is_folder=True)
    if target == "duckdb":
        outputs.check(paths.duckdb(database), database, "DuckDB database", _is_duckdb)
    if target == "spark":
        outputs.check(paths.spark(database), database, "folder of Spark's", _is_spark, is_folder=True)


def _is_duckdb(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(12)[8:] == b"DUCK"


def _is_spark(folder: Path) -> bool:
    """Return whether a build on Spark created the folder: it has one of the two that profiles.yml names."""
    return (folder / "metastore").is_dir() or (folder / "tables").is_dir()


def environment(database: Path, target: str) -> Mapping[str, str]:
    """Return the variables that the target's profile reads. Raises OutcomesError as `expect_possible` does, and if the
    exported log is missing."""
    check_places(database, target)
    expect_possible(target)
    if target == SQLITE:
        return {}
    if target == "postgres":
        return postgres_variables(dsn(None))
    folder = paths.parquet_log(database)
    if parquet_log.exported_to(folder) is None:
        raise OutcomesError(f"there is no exported log at {folder.absolute()}: run `loader export-log --to parquet`")
    return {
        "OUTCOMES_PARQUET": str(folder.absolute()),
        "OUTCOMES_DUCKDB": str(paths.duckdb(database).absolute()),
        "OUTCOMES_SPARK": str(paths.spark(database).absolute()),
    }


def preparations(target: str) -> Sequence[Sequence[str]]:
    """Return the dbt commands to run before a build."""
    return [["run-operation", "read_log_in_place"]] if target in IN_PLACE else []


def dsn(given: str | None) -> str:
    """Return the DSN of the PostgreSQL database: `given`, else `OUTCOMES_POSTGRES`."""
    dsn = given or os.environ.get("OUTCOMES_POSTGRES")
    if not dsn:
        raise OutcomesError("no PostgreSQL database is named: set OUTCOMES_POSTGRES to its DSN (postgresql://...)")
    return dsn


def postgres_variables(dsn: str) -> Mapping[str, str]:
    """Return the parts of a DSN as variables of libpq. They turn off PostgreSQL's JIT compiler, which needs a
    second for each deep view."""
    from psycopg2 import ProgrammingError
    from psycopg2.extensions import parse_dsn

    try:
        pieces = parse_dsn(dsn)
    except ProgrammingError as fault:
        raise OutcomesError(f"OUTCOMES_POSTGRES is not a DSN: {' '.join(str(fault).split())}") from None
    pieces["options"] = f"-c jit=off {pieces.get('options') or os.environ.get('PGOPTIONS', '')}".rstrip()
    return {variable: pieces[name] for variable, name in POSTGRES_VARIABLES.items() if name in pieces}

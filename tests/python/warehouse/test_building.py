"""`loader build`: on an empty log, one at a time, and never silent about having done nothing."""

import json
import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

import filelock
import pytest

from .conftest import PROJECT, Warehouse, outcome


@pytest.fixture(scope="module")
def empty(built_empty: Path) -> Warehouse:
    """An empty log, built."""
    return Warehouse(project=PROJECT, database=built_empty)


def test_an_empty_log_builds_and_answers_nothing(empty: Warehouse) -> None:
    assert empty.query("select * from model_stats") == []
    assert empty.loader("stats").stdout == "none\n"
    assert json.loads(empty.loader("candidates", "--json").stdout) == []


def test_reading_before_the_first_build_says_what_to_do(new_warehouse: Warehouse) -> None:
    done = new_warehouse.loader("stats", check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "run `loader build`" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_second_build_says_who_is_at_it(new_warehouse: Warehouse) -> None:
    folder = new_warehouse.database.with_name("outcomes.db.build")
    folder.mkdir(exist_ok=True)
    with filelock.FileLock(folder / "lock"):
        (folder / "lock.holder.json").write_text(
            json.dumps({"pid": 4711, "purpose": "a build", "since": "2026-01-01T00:00:00Z"})
        )
        done = new_warehouse.loader("build", check=False)
    assert done.returncode == 75
    assert "a build (process 4711, since 2026-01-01T00:00:00Z)" in done.stderr


@pytest.mark.parametrize("selected", ["no_such_model", "exposure:report"])
def test_a_selection_that_matches_nothing_fails(new_warehouse: Warehouse, selected: str) -> None:
    done = new_warehouse.loader("build", "--quiet", "--select", selected, check=False)
    assert done.returncode == 1
    assert "dbt ran nothing" in done.stderr


def test_a_failing_dbt_model_is_exit_1_and_keeps_the_old_rows(own_project, new_warehouse: Warehouse) -> None:
    new_warehouse.project = own_project
    new_warehouse.load([outcome()])
    new_warehouse.build("+model_rankings")
    before = new_warehouse.query("select * from model_rankings")
    trends = own_project / "models" / "marts" / "performance" / "model_rankings.sql"
    trends.write_text("select no_such_column from {{ ref('model_stats') }}")
    done = new_warehouse.loader("build", "--quiet", "--select", "model_rankings", check=False)
    assert done.returncode == 1
    assert "dbt build failed" in done.stderr
    assert new_warehouse.query("select * from model_rankings") == before


def test_no_project_is_one_line(new_warehouse: Warehouse, tmp_path) -> None:
    new_warehouse.project = tmp_path
    done = new_warehouse.loader("build", check=False)
    assert done.returncode == 2
    assert "set OUTCOMES_PROJECT" in done.stderr


def test_a_build_with_nothing_new_writes_nothing_and_no_test_reads_the_history(new_warehouse: Warehouse) -> None:
    """Tests are weighed in steps of SQLite's machine: to read every day of the history takes far more than allowed."""
    models, days = 10, 500
    new_warehouse.load(
        outcome(
            model_id=f"model-{number % models}", timestamp=f"{date(2025, 1, 1) + timedelta(number // models)}T12:00:00Z"
        )
        for number in range(models * days)
    )
    new_warehouse.loader("build", "--quiet")
    wal = Path(f"{new_warehouse.database}-wal")
    # The open connection keeps the WAL. A commit changes the WAL, or the database once a checkpoint copies it there.
    with closing(sqlite3.connect(new_warehouse.database)) as connection:
        (schema,) = connection.execute("pragma schema_version").fetchone()
        before = new_warehouse.database.stat().st_mtime_ns, wal.stat().st_size
        new_warehouse.loader("build", "--quiet", "--force")
        assert before == (new_warehouse.database.stat().st_mtime_ns, wal.stat().st_size), "a build changed something"
        assert connection.execute("pragma schema_version").fetchone() == (schema,)

        folder = new_warehouse.database.with_name("outcomes.db.build") / "target"
        manifest = json.loads((folder / "manifest.json").read_text())
        results = json.loads((folder / "run_results.json").read_text())["results"]
        tests = {
            result["unique_id"]: result["compiled_code"]
            for result in results
            if manifest["nodes"].get(result["unique_id"], {}).get("resource_type") == "test"
        }
        assert len(tests) > 20
        assert connection.execute("select count(*) from model_daily_trends").fetchone() == (models * days,)
        assert steps(connection, "select count(*) from model_daily_trends where cusum is null") > 3 * models * days
        heavy = [name for name, sql in tests.items() if steps(connection, sql) > 3 * models * days]
    # No DDL can hold these keys. One is a live view over the days that no export has told. In the two tables of strata
    # a build replaces blocks, and DuckDB refuses a key that was deleted in the same transaction.
    assert sorted(name.split(".")[2] for name in heavy) == [
        "federated_export_rules", "int_pair_blocks_rules", "int_strata_counted_rules"
    ]  # fmt: skip


def steps(connection: sqlite3.Connection, sql: str) -> int:
    """How many steps, in hundreds rounded down, SQLite's virtual machine takes for a query."""
    hundreds = []
    connection.set_progress_handler(lambda: hundreds.append(1), 100)
    connection.execute(sql).fetchall()
    connection.set_progress_handler(None, 0)
    return 100 * len(hundreds)

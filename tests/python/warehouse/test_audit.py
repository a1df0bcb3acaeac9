"""`loader audit`: silent where all is right, exact about what is not."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from .conftest import ORIGINAL_INSERT, PROJECT, Warehouse, outcome

MONTH = "2026-03-{:02}T12:00:00Z"
CORRECTION = "insert into outcome_corrections (outcome_id, verdict) values (?, ?)"
CELL = {"task_type": "code", "model_id": "able"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """An alias, an experiment, opening balances, failures of all kinds, costs to the last nano-dollar:
    built, and then outcomes and balances that no build has seen."""
    folder = tmp_path_factory.mktemp("audited")
    project = folder / "project"
    shutil.copytree(PROJECT, project, ignore=shutil.ignore_patterns(".*", "python", "target", "logs", "data", "runs"))
    (project / "workspace" / "seeds" / "model_aliases.csv").write_text("alias,model_id\nable-2026,able\n")
    (project / "workspace" / "seeds" / "ab_experiments.csv").write_text(
        "experiment_id,task_type,incumbent_model_id,challenger_model_id,started_at,ended_at,challenger_share\n"
        "trial,code,able,baker,2026-03-02,2026-03-20T14:00:00+02:00,\n"
    )
    (project / "workspace" / "seeds" / "incumbents.csv").write_text("task_type,model_id\ncode,able\nprose,able\n")
    warehouse = Warehouse(project=project, database=folder / "outcomes.db")
    warehouse.loader("init")
    balances = folder / "balances.json"
    able: dict[str, Any] = {"successes": 42, "failures": 3, "timeouts": 2, "totalTokens": 9, "totalCost": 1.25}
    able["lastUsed"] = "2026-05-01T00:00:00Z"
    balances.write_text(json.dumps({"code": {"able": able}}))
    warehouse.loader("import-legacy", balances)
    warehouse.load(
        outcome(
            model_id=("able", "able-2026", "baker")[number % 3],
            task_type="code" if number % 7 else "prose",
            success=number % 4 != 0,
            error_type="rate_limited" if number % 8 == 0 else "gave_up" if number % 16 == 4 else None,
            timeout=number % 12 == 4,
            timestamp=MONTH.format(1 + number % 28),
            **({"cost_usd": 0.0000123456 * number, "tokens_used": number} if number % 5 else {}),
        )
        for number in range(200)
    )
    warehouse.load(
        outcome(
            model_id=("able", "baker", "hopeless")[number % 3],
            success=number % 3 < 2 and number % 5 != 1,
            task_id=f"T{number // 3 // 2}",
            timestamp=MONTH.format(5 + number % 12),
        )
        for number in range(180)
    )
    warehouse.write(ORIGINAL_INSERT, "code", "able", 1, 0, 7, 0.25, "2026-03-02T23:59:59.9996Z")
    # A flip, a flip taken back, a void one, a void one that counts again, no change; and the last outcome of a cell.
    for outcome_id, verdict in [
        (1, "success"), (2, "failure"), (2, "success"), (3, "void"), (4, "void"), (4, "failure"), (5, "failure"),
        (5, "failure"), (201, "void"), (381, "void"),
    ]:  # fmt: skip
        warehouse.write(CORRECTION, outcome_id, verdict)
    warehouse.loader("build", "--quiet")
    for outcome_id, verdict in [(6, "void"), (3, "success"), (210, "failure"), (381, "failure")]:
        warehouse.write(CORRECTION, outcome_id, verdict)
    warehouse.write(ORIGINAL_INSERT, "code", "able", 0, 1, 7, 0.25, "2026-03-02T23:30:00-03:00")
    warehouse.write(ORIGINAL_INSERT, "new", "newer", 1, 0, 7, 0.0, "2026-03-02T10:00")
    baker = {"successes": 1, "failures": 2}
    balances.write_text(json.dumps({"code": {"able": {**able, "successes": 50}, "baker": baker}}))
    warehouse.loader("import-legacy", balances)
    with closing(sqlite3.connect(warehouse.database)) as connection:
        connection.execute("pragma wal_checkpoint(truncate)")
    return warehouse


@pytest.fixture
def warehouse(built: Warehouse, tmp_path: Path) -> Warehouse:
    """A copy of it, to spoil."""
    return Warehouse(project=built.project, database=Path(shutil.copy(built.database, tmp_path)))


def test_agrees_in_one_line_and_newer_rows_are_no_difference(warehouse: Warehouse) -> None:
    done = warehouse.loader("audit")
    assert len(done.stdout.splitlines()) == 1
    assert "agree with 383 outcomes" in done.stdout
    compared = json.loads(warehouse.loader("audit", "--json").stdout)
    assert compared["differences"] == []
    assert compared["rows"]["model_stats"] == 6
    assert compared["rows"]["model_rankings"] == 5
    assert compared["rows"]["ab_comparisons"] == 1
    assert warehouse.query("select incumbent_trials > 10 and challenger_trials > 10 from ab_comparisons") == [(1,)]


def test_agrees_after_a_full_refresh(warehouse: Warehouse) -> None:
    warehouse.loader("build", "--quiet", "--full-refresh")
    assert json.loads(warehouse.loader("audit", "--json").stdout)["rows"]["model_rankings"] == 6


def test_before_a_build_says_what_to_do(new_warehouse: Warehouse) -> None:
    done = new_warehouse.loader("audit", check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "run `loader build`" in done.stderr


def spoil(warehouse: Warehouse, *statements: str) -> list[dict]:
    """What the audit says after somebody changed the built tables."""
    with closing(sqlite3.connect(warehouse.database)) as connection:
        for statement in statements:
            assert connection.execute(statement).rowcount != 0, "the statement changed nothing"
        connection.commit()
    done = warehouse.loader("audit", "--json", check=False)
    assert done.returncode == 1, done.stderr
    return json.loads(done.stdout)["differences"]


@pytest.mark.parametrize(
    ("table", "column", "where"),
    [
        ("model_rankings", "successes", "model_id = 'able' and task_type = 'code'"),
        ("model_rankings", "total_tokens", "model_id = 'able' and task_type = 'code'"),
        ("model_rankings", "priced_trials", "model_id = 'able' and task_type = 'code'"),
        ("model_daily_trends", "trials", "outcome_date = '2026-03-05' and model_id = 'baker' and task_type = 'code'"),
        ("model_daily_trends", "total_tokens", "outcome_date = '2026-03-05' and model_id = 'baker'"),
        ("model_daily_trends", "trailing_7d_successes", "outcome_date = '2026-03-09' and model_id = 'able'"),
        ("model_daily_trends", "trailing_28d_total_tokens", "outcome_date = '2026-03-28' and model_id = 'able'"),
    ],
)
def test_names_the_figure_that_is_wrong(warehouse: Warehouse, table: str, column: str, where: str) -> None:
    before = warehouse.query(f"select task_type, model_id, {column} from {table} where {where}")
    found = spoil(warehouse, f"update {table} set {column} = {column} + 1 where {where}")
    assert before
    said = [
        (one["key"]["task_type"], one["key"]["model_id"], one["expected"], one["actual"])
        for one in found
        if (one["table"], one["column"]) == (table, column)
    ]
    assert sorted(said) == sorted((task_type, model_id, value, value + 1) for task_type, model_id, value in before)


def test_a_nano_dollar_too_many_is_seen_in_every_table(warehouse: Warehouse) -> None:
    key = "task_type = 'code' and model_id = 'baker' and error_type = '' and is_success = 1"
    (before,) = warehouse.query(f"select cost_nano_usd from int_outcomes_totals where {key}")[0]
    found = spoil(warehouse, f"update int_outcomes_totals set cost_nano_usd = cost_nano_usd + 1 where {key}")
    by_table = {one["table"]: one for one in found}
    assert set(by_table) == {"int_outcomes_totals", "model_stats", "outcome_reconciliation"}
    assert {one["actual"] - one["expected"] for one in found} == {1}
    assert by_table["int_outcomes_totals"]["expected"] == before


def test_what_waits_for_an_export_is_held_to_the_log(warehouse: Warehouse) -> None:
    found = spoil(
        warehouse,
        "update int_outcomes_daily set outcomes = outcomes + 1"
        " where (task_type, model_id, outcome_date, is_success) = ('code', 'baker', '2026-03-06', 1)",
    )
    seen = {one["table"]: (one["key"]["model_id"], one["actual"] - one["expected"]) for one in found}
    assert seen["federated_export"] == ("baker", 1)


def test_sums_of_squares_are_held_too(warehouse: Warehouse) -> None:
    found = spoil(
        warehouse,
        "update int_outcomes_totals set cost_usd_squared = cost_usd_squared * 1.000001"
        " where task_type = 'code' and model_id = 'baker' and error_type = '' and is_success = 1",
    )
    assert [one["column"] for one in found] == ["cost_usd_squared"]


def test_a_lost_row_and_a_row_too_many_are_named(warehouse: Warehouse) -> None:
    found = spoil(
        warehouse,
        "delete from int_outcomes_daily where outcome_date = '2026-03-05' and model_id = 'baker'",
        "insert into int_outcomes_daily"
        " select '2020-01-01', task_type, model_id, '', '', '', error_type, is_success,"
        " 1, 0, 0, 0, 0, 0, 0.0, 0, 0, 0.0, 1, 0"
        " from int_outcomes_totals where task_type = 'prose' and model_id = 'baker' and is_success = 1",
    )
    rows = {(one["key"]["outcome_date"], one["expected"], one["actual"]) for one in found if one["column"] == "*"}
    assert rows == {("2026-03-05", 1, 0), ("2020-01-01", 0, 1)}


def test_a_watermark_ahead_of_its_rows_is_seen(warehouse: Warehouse) -> None:
    found = spoil(warehouse, "update int_outcomes_totals set last_outcome_id = 382 where last_outcome_id = 381")
    assert {"int_outcomes_totals", "model_stats"} <= {one["table"] for one in found}


@pytest.mark.parametrize("table", ["int_outcomes_totals", "int_outcomes_daily"])
def test_a_correction_that_was_counted_twice_or_not_at_all_is_seen(warehouse: Warehouse, table: str) -> None:
    """Outcome 1, a success of baker in code without an error type, was a failure before. The last correction was made
    after the build."""
    where = "task_type = 'code' and model_id = 'able-2026' and error_type = '' and is_success = 1"
    where += " and outcome_date = '2026-03-02'" if table.endswith("daily") else ""
    (before,) = warehouse.query(f"select outcomes from {table} where {where}")[0]
    found = spoil(warehouse, f"update {table} set outcomes = outcomes + 1 where {where}")
    assert (table, before, before + 1) in [(one["table"], one["expected"], one["actual"]) for one in found]
    found = spoil(
        warehouse,
        f"update {table} set outcomes = outcomes - 1 where {where}",
        f"update {table} set last_correction_id = last_correction_id + 1 where last_correction_id ="
        f" (select max(last_correction_id) from {table})",
    )
    assert {"outcomes"} <= {one["column"] for one in found if one["table"] == table}


def test_an_experiment_that_lost_an_outcome_is_seen(warehouse: Warehouse) -> None:
    (before,) = warehouse.query("select sum(is_success) from int_experiment_outcomes where arm = 'challenger'")[0]
    found = spoil(
        warehouse,
        "delete from int_experiment_outcomes where outcome_id = (select max(outcome_id) from int_experiment_outcomes"
        " where arm = 'challenger' and is_success = 1)",
    )
    assert {one["table"] for one in found} == {"int_experiment_outcomes"}
    said = {one["column"]: (one["expected"], one["actual"]) for one in found}
    assert said["successes"] == (before, before - 1)


@pytest.mark.parametrize("column", ["incumbent_trials", "challenger_wins", "both_succeeded", "neither_succeeded"])
@pytest.mark.parametrize("table", ["ab_comparisons", "ab_comparison_days"])
def test_a_comparison_that_counts_another_number_is_seen(warehouse: Warehouse, table: str, column: str) -> None:
    where = "experiment_id = 'trial'" + (" and outcome_date = '2026-03-19'" if table.endswith("days") else "")
    (before,) = warehouse.query(f"select {column} from {table} where {where}")[0]
    found = spoil(warehouse, f"update {table} set {column} = {column} + 1 where {where}")
    assert [(one["table"], one["column"], one["expected"], one["actual"]) for one in found] == [
        (table, column, before, before + 1)
    ]


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("demotion_candidates", "trials"),
        ("demotion_candidates", "incumbent_successes"),
        ("ab_test_candidates", "trials"),
        ("ab_test_candidates", "incumbent_trials"),
        ("recommendations", "model_trials"),
    ],
)
def test_a_candidate_that_was_counted_wrongly_is_seen(warehouse: Warehouse, table: str, column: str) -> None:
    assert warehouse.query(f"select count({column}) > 0 from {table}") == [(1,)], "nothing to spoil"
    found = spoil(warehouse, f"update {table} set {column} = {column} + 1")
    assert {(one["table"], one["column"], one["actual"] - one["expected"]) for one in found} == {(table, column, 1)}


def test_says_it_to_people_as_well(warehouse: Warehouse) -> None:
    spoil(
        warehouse, "update model_rankings set failures = failures + 5 where model_id = 'baker' and task_type = 'prose'"
    )
    done = warehouse.loader("audit", check=False)
    assert done.returncode == 1
    assert "model_rankings (task_type prose, model_id baker) failures: expected " in done.stdout

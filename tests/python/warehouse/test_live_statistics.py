"""The statistics are those of the log, at every moment: before a build, after it, after a full one."""

import pytest

from .conftest import ORIGINAL_INSERT, Warehouse, outcome

CELL = """
    select successes, failures, timeouts, total_tokens, total_cost
    from model_stats
    where task_type = ? and model_id = ?
"""


@pytest.fixture
def warehouse(new_warehouse: Warehouse) -> Warehouse:
    """40 successes and 10 failures of one cell, and an alias of it, built."""
    rows = [
        outcome(success=number % 5 != 0, cost_usd=0.1, tokens_used=100, event_id=str(number)) for number in range(50)
    ]
    new_warehouse.load(rows)
    new_warehouse.loader("build", "--quiet")
    return new_warehouse


def test_an_outcome_of_another_process_counts_at_once_and_once(warehouse: Warehouse) -> None:
    assert warehouse.query(CELL, "code", "able") == [(40, 10, 0, 5000, 5.0)]
    warehouse.write(ORIGINAL_INSERT, "code", "able", 0, 1, 7, 0.25, "2026-03-02T10:00:00.000Z")
    expected = [(40, 11, 1, 5007, 5.25)]
    assert warehouse.query(CELL, "code", "able") == expected, "before a build"
    warehouse.loader("build", "--quiet")
    assert warehouse.query(CELL, "code", "able") == expected, "after a build"
    live = warehouse.query("select * from model_stats")
    warehouse.loader("build", "--quiet", "--full-refresh")
    assert warehouse.query("select * from model_stats") == live, "after a full refresh"


def test_the_file_attaches_under_any_name(warehouse: Warehouse) -> None:
    import sqlite3

    connection = sqlite3.connect(":memory:")
    connection.execute("attach ? as elsewhere", (str(warehouse.database),))
    assert connection.execute("select successes from elsewhere.model_stats").fetchall() == [(40,)]
    views = [name for (name,) in connection.execute("select name from elsewhere.sqlite_master where type = 'view'")]
    assert views
    for view in views:
        connection.execute(f"select * from elsewhere.{view} limit 1").fetchall()


def test_the_live_view_reads_only_the_newer_rows_of_the_log(warehouse: Warehouse) -> None:
    plan = [row[3] for row in warehouse.query("explain query plan select * from model_stats where task_type = 'code'")]
    on_the_log = [step for step in plan if "model_outcomes" in step]
    assert on_the_log
    assert all("SEARCH model_outcomes USING INTEGER PRIMARY KEY (rowid>?)" in step for step in on_the_log), plan


def test_a_changed_alias_needs_no_rebuild(own_project, new_warehouse: Warehouse) -> None:
    new_warehouse.project = own_project
    new_warehouse.load([outcome(model_id="able"), outcome(model_id="able-2026"), outcome(model_id="other")])
    new_warehouse.loader("build", "--quiet")
    assert {row[0] for row in new_warehouse.query("select model_id from model_stats")} == {"able", "able-2026", "other"}
    (own_project / "workspace" / "seeds" / "model_aliases.csv").write_text("alias,model_id\nable-2026,able\n")
    new_warehouse.loader("build", "--quiet")
    assert set(new_warehouse.query("select model_id, trials from model_stats")) == {("able", 2), ("other", 1)}
    assert set(new_warehouse.query("select model_id, trials from model_rankings")) == {("able", 2), ("other", 1)}


def test_infrastructure_failures_are_counted_and_judge_nobody(new_warehouse: Warehouse) -> None:
    rows = [outcome() for _ in range(8)]
    rows += [outcome(success=False, cost_usd=0.5)] * 2
    rows += [outcome(success=False, cost_usd=0.25, error_type="rate_limited")] * 50
    rows += [outcome(success=False, error_type="tests_failed", task_type="other")]
    new_warehouse.load({**row, "event_id": str(number)} for number, row in enumerate(rows))
    new_warehouse.loader("build", "--quiet")
    names = "successes, failures, infrastructure_failures, infrastructure_cost, trials, success_rate, total_cost"
    assert new_warehouse.query(f"select {names} from model_stats where task_type = 'code'") == [
        (8, 52, 50, 12.5, 10, 0.8, 13.5)
    ]
    assert new_warehouse.query("select trials, failures from model_stats where task_type = 'other'") == [(1, 1)]


def test_averages_leave_out_what_is_not_known(new_warehouse: Warehouse) -> None:
    new_warehouse.load(
        [
            outcome(cost_usd=0.0, tokens_used=0),
            outcome(cost_usd=3.0, tokens_used=300),
            outcome(success=False, tokens_used=500),
            outcome(success=False),
        ]
    )
    new_warehouse.loader("build", "--quiet")
    names = "avg_tokens, metered_trials, avg_cost, priced_trials, cost_per_success, total_tokens, total_cost"
    assert new_warehouse.query(f"select {names} from model_stats") == [(400.0, 2, 1.5, 2, 1.5, 800, 3.0)]


def test_a_cell_without_a_trial_has_no_rate(new_warehouse: Warehouse) -> None:
    new_warehouse.load([outcome(success=False, error_type="network_error")])
    new_warehouse.loader("build", "--quiet")
    names = "trials, success_rate, success_rate_lower, success_rate_upper, cost_per_success, avg_cost"
    assert new_warehouse.query(f"select {names} from model_stats") == [(0, None, None, None, None, None)]
    assert new_warehouse.query("select is_eligible, rank from model_rankings") == [(0, None)]

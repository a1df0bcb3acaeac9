"""The statistics are those of the log, at every moment: before a build, after it, after a full one."""

from pathlib import Path

import pytest

from .conftest import ORIGINAL_INSERT, Warehouse, empty_log, outcome

CELL = """
    select successes, failures, timeouts, total_tokens, total_cost
    from model_stats
    where task_type = ? and model_id = ?
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """40 successes and 10 failures of one cell, and the cells of the tests below, each with a task type of its own:
    built. A test that changes it takes a copy."""
    warehouse = empty_log(tmp_path_factory.mktemp("built"))
    rows = [outcome(success=number % 5 != 0, cost_usd=0.1, tokens_used=100) for number in range(50)]
    rows += [outcome(task_type="renamed", model_id=model_id) for model_id in ("able", "able-2026", "other")]
    rows += [outcome(task_type="lost") for _ in range(8)]
    rows += [outcome(task_type="lost", success=False, cost_usd=0.5)] * 2
    rows += [outcome(task_type="lost", success=False, cost_usd=0.25, error_type="rate_limited")] * 50
    rows += [outcome(success=False, error_type="tests_failed", task_type="other")]
    rows += [
        outcome(task_type="partly known", cost_usd=0.0, tokens_used=0),
        outcome(task_type="partly known", cost_usd=3.0, tokens_used=300),
        outcome(task_type="partly known", success=False, tokens_used=500),
        outcome(task_type="partly known", success=False),
    ]
    rows += [outcome(task_type="no trial", success=False, error_type="network_error")]
    warehouse.load({**row, "event_id": str(number)} for number, row in enumerate(rows))
    warehouse.build()
    return warehouse


def test_an_outcome_of_another_process_counts_at_once_and_once(built: Warehouse, tmp_path: Path) -> None:
    warehouse = built.copy_to(tmp_path)
    assert warehouse.query(CELL, "code", "able") == [(40, 10, 0, 5000, 5.0)]
    warehouse.write(ORIGINAL_INSERT, "code", "able", 0, 1, 7, 0.25, "2026-03-02T10:00:00.000Z")
    expected = [(40, 11, 1, 5007, 5.25)]
    assert warehouse.query(CELL, "code", "able") == expected, "before a build"
    warehouse.build("+model_stats")
    assert warehouse.query(CELL, "code", "able") == expected, "after a build"
    live = warehouse.query("select * from model_stats")
    warehouse.loader("build", "--quiet", "--full-refresh", "--select", "+model_stats")
    assert warehouse.query("select * from model_stats") == live, "after a full refresh"


def test_the_file_attaches_under_any_name(built: Warehouse) -> None:
    import sqlite3

    connection = sqlite3.connect(":memory:")
    connection.execute("attach ? as elsewhere", (str(built.database),))
    assert connection.execute("select successes from elsewhere.model_stats where task_type = 'code'").fetchall() == [
        (40,)
    ]
    views = [name for (name,) in connection.execute("select name from elsewhere.sqlite_master where type = 'view'")]
    assert views
    for view in views:
        connection.execute(f"select * from elsewhere.{view} limit 1").fetchall()


def test_the_live_view_reads_only_the_newer_rows_of_the_log(built: Warehouse) -> None:
    plan = [row[3] for row in built.query("explain query plan select * from model_stats where task_type = 'code'")]
    on_the_log = [step for step in plan if "model_outcomes" in step]
    assert on_the_log
    # Those of rowid=? are outcomes that newer corrections name.
    allowed = {f"SEARCH model_outcomes USING INTEGER PRIMARY KEY (rowid{sign}?)" for sign in ">="}
    assert set(on_the_log) == allowed, plan


def test_a_changed_alias_needs_no_rebuild(own_project, built: Warehouse, tmp_path: Path) -> None:
    warehouse = built.copy_to(tmp_path)
    warehouse.project = own_project
    names = "where task_type = 'renamed'"
    assert {row[0] for row in warehouse.query(f"select model_id from model_stats {names}")} == {
        "able", "able-2026", "other",
    }  # fmt: skip
    (own_project / "workspace" / "seeds" / "model_aliases.csv").write_text("alias,model_id\nable-2026,able\n")
    warehouse.build("+model_rankings")
    for mart in ("model_stats", "model_rankings"):
        rows = warehouse.query(f"select model_id, trials from {mart} {names}")
        assert set(rows) == {("able", 2), ("other", 1)}


def test_infrastructure_failures_are_counted_and_judge_nobody(built: Warehouse) -> None:
    names = "successes, failures, infrastructure_failures, infrastructure_cost, trials, success_rate, total_cost"
    assert built.query(f"select {names} from model_stats where task_type = 'lost'") == [
        (8, 52, 50, 12.5, 10, 0.8, 13.5)
    ]
    assert built.query("select trials, failures from model_stats where task_type = 'other'") == [(1, 1)]


def test_averages_leave_out_what_is_not_known(built: Warehouse) -> None:
    names = "avg_tokens, metered_trials, avg_cost, priced_trials, cost_per_success, total_tokens, total_cost"
    stats = built.query(f"select {names} from model_stats where task_type = 'partly known'")
    assert stats == [(400.0, 2, 1.5, 2, 1.5, 800, 3.0)]


def test_a_cell_without_a_trial_has_no_rate(built: Warehouse) -> None:
    names = "trials, success_rate, success_rate_lower, success_rate_upper, cost_per_success, avg_cost"
    stats = built.query(f"select {names} from model_stats where task_type = 'no trial'")
    assert stats == [(0, None, None, None, None, None)]
    assert built.query("select is_eligible, rank from model_rankings where task_type = 'no trial'") == [(0, None)]

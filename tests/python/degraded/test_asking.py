"""Questions that the log cannot answer are answered from the last snapshot, and marked."""

import json
import logging
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from model_outcomes import ModelOutcomes
from model_outcomes.base import paths
from model_outcomes.base.errors import NotBuiltError, OutcomesError

PUBLISHED_AT = "2026-01-31T12:00:00.000000Z"
STATS = {
    "task_type": "coding", "model_id": "alpha", "trials": 10, "successes": 9, "failures": 1, "success_rate": 0.9,
    "success_rate_lower": 0.6, "success_rate_upper": 0.98, "total_tokens": 5, "total_cost": 0.5,
    "cost_per_success": 0.06, "last_used": "2026-01-30 12:00:00", "infrastructure_failures": 0,
}  # fmt: skip


@pytest.fixture
def snapshot(database: Path) -> Path:
    """A published snapshot of two models, as plain tables."""
    path = paths.snapshot(database)
    path.parent.mkdir(parents=True)
    rows = [STATS, {**STATS, "model_id": "beta", "success_rate_lower": 0.7}, {**STATS, "trials": 2, "model_id": "rare"}]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"create table model_stats ({', '.join(STATS)})")
        connection.executemany(
            f"insert into model_stats values ({', '.join('?' * len(STATS))})", [[*row.values()] for row in rows]
        )
        connection.execute("create table demotion_candidates (task_type, model_id, reason)")
        connection.execute("insert into demotion_candidates values ('coding', 'rare', 'too weak')")
        connection.execute("create table ab_test_candidates (task_type, model_id, incumbent_model_id, reason)")
    os.utime(path, (1769860800, 1769860800))
    return path


@pytest.fixture(params=["missing", "broken", "not built"])
def silent(request: pytest.FixtureRequest, database: Path) -> None:
    """A log that does not answer."""
    if request.param == "missing":
        database.unlink()
    elif request.param == "broken":
        database.write_bytes(b"no database" * 1000)


@pytest.mark.usefixtures("silent", "snapshot")
def test_python_is_answered_from_the_snapshot(database: Path, caplog) -> None:
    with ModelOutcomes(database) as outcomes:
        ranked = outcomes.ranked_models("coding")
        demotion = outcomes.should_demote("coding", "rare")
        assert not outcomes.should_demote("coding", "alpha")
        assert outcomes.ab_test_candidates("coding") == []
    assert [(model.rank, model.model_id, model.snapshot_at) for model in ranked] == [
        (1, "beta", PUBLISHED_AT), (2, "alpha", PUBLISHED_AT),
    ]  # fmt: skip
    assert (bool(demotion), demotion.reason, demotion.snapshot_at) == (True, "too weak", PUBLISHED_AT)
    assert PUBLISHED_AT in caplog.text
    assert {record.levelno for record in caplog.records} == {logging.WARNING}


@pytest.mark.usefixtures("silent", "snapshot")
def test_the_command_says_so_in_a_line(invoke) -> None:
    result = invoke("rank", "coding", "--json")
    assert (result.exit_code, result.stderr.count("\n")) == (0, 1)
    assert PUBLISHED_AT in result.stderr
    assert [(row["model_id"], row["snapshot_at"]) for row in json.loads(result.stdout)] == [
        ("beta", PUBLISHED_AT), ("alpha", PUBLISHED_AT),
    ]  # fmt: skip


@pytest.mark.usefixtures("silent")
def test_without_a_snapshot_there_is_no_answer(invoke, database: Path) -> None:
    with ModelOutcomes(database) as outcomes:
        assert outcomes.ranked_models("coding") == []
        assert outcomes.ab_test_candidates("coding") == []
        assert not outcomes.should_demote("coding", "alpha")
    result = invoke("rank", "coding")
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (2, "", 1)


@pytest.mark.usefixtures("silent", "snapshot")
def test_strict_does_not_make_do_with_a_snapshot(database: Path) -> None:
    with ModelOutcomes(database, strict=True) as outcomes, pytest.raises(OutcomesError):
        outcomes.ranked_models("coding")


def test_an_unbuilt_log_says_so(database: Path) -> None:
    with ModelOutcomes(database, strict=True) as outcomes, pytest.raises(NotBuiltError, match="loader build"):
        outcomes.ranked_models("coding")


@pytest.mark.usefixtures("silent")
def test_a_snapshot_that_is_none_is_as_good_as_missing(invoke, snapshot: Path) -> None:
    snapshot.write_bytes(b"no database" * 1000)
    assert invoke("rank", "coding").exit_code == 2


@pytest.mark.usefixtures("snapshot")
def test_asking_makes_nothing(database: Path) -> None:
    database.unlink()
    with ModelOutcomes(database) as outcomes:
        outcomes.ranked_models("coding")
    assert not database.exists()

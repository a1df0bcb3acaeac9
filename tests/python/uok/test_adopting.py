"""`loader sync-uok --adopt`: the orchestrator's rows become outcomes of the log, once."""

import json
import os
import signal

import pytest

from model_outcomes.intake.uok import adoption, staging
from model_outcomes.log import store

from .conftest import TABLE, Orchestrator, unit

LOGGED = (
    "select task_type, model_id, success, timeout, tokens_used, cost_usd, cost_source, timestamp, event_id, task_id,"
    " recorded_by, duration_ms from model_outcomes order by id"
)


def test_rows_become_outcomes(orchestrator: Orchestrator, invoke, query) -> None:
    orchestrator.add(
        [
            unit(1, unit_type="plan", unit_id="M001/S01", model_id="hub/able", succeeded=1, tokens_total=None,
                 cost_usd=None, duration_ms=None, recorded_at=1_772_321_415_126),
            unit(2, unit_type="plan", unit_id="M001/S02", model_id="able", succeeded=0, tokens_total=9,
                 cost_usd=0, duration_ms=12, recorded_at=1_772_323_200_000),
        ]
    )  # fmt: skip
    done = invoke("sync-uok", orchestrator.path, "--adopt")
    assert done.stdout.splitlines()[0].endswith("2 seen, 2 added, 0 corrected upstream, 0 unchanged, 0 rejected")
    assert query(LOGGED) == [
        ("plan", "hub/able", 1, 0, 0, 0.0, None, "2026-02-28T23:30:15.126000Z",
         "uok:plan:M001/S01:1772321415126", "M001/S01", "uok", None),
        ("plan", "able", 0, 0, 9, 0.0, "provider", "2026-03-01T00:00:00.000000Z",
         "uok:plan:M001/S02:1772323200000", "M001/S02", "uok", 12),
    ]  # fmt: skip
    assert query("select count(*) from llm_task_outcomes") == [(0,)]


def test_once(orchestrator: Orchestrator, tmp_path, invoke, query) -> None:
    orchestrator.add(unit(number) for number in range(20))
    invoke("sync-uok", orchestrator.path, "--adopt")
    assert "skipped" in invoke("sync-uok", orchestrator.path, "--adopt").stdout
    orchestrator.add([unit(20)])
    assert " 1 added, 0 corrected upstream, 20 unchanged" in invoke("sync-uok", orchestrator.path, "--adopt").stdout
    # Nor again from elsewhere: the name of an event is made of the row, not of the file.
    moved = Orchestrator(orchestrator.path.rename(tmp_path / "moved.db"))
    assert " 0 added, 0 corrected upstream, 21 unchanged" in invoke("sync-uok", moved.path, "--adopt").stdout
    assert query("select count(*) from model_outcomes") == [(21,)]


def test_names_that_hold_colons_are_told_apart(orchestrator: Orchestrator, invoke, query) -> None:
    parts = [("a:b", "c"), ("a", "b:c"), ("a%3Ab", "c")]
    orchestrator.add(unit(1, unit_type=unit_type, unit_id=unit_id) for unit_type, unit_id in parts)
    assert " 3 added" in invoke("sync-uok", orchestrator.path, "--adopt").stdout
    assert query("select task_type, task_id from model_outcomes order by id") == parts


def test_a_corrected_row_is_reported_and_not_changed(orchestrator: Orchestrator, invoke, query) -> None:
    orchestrator.add([unit(1, succeeded=1, cost_usd=0.5), unit(2)])
    invoke("sync-uok", orchestrator.path, "--adopt")
    before = query(LOGGED)
    orchestrator.execute("update llm_task_outcomes set succeeded = 0, cost_usd = 0.25 where id = 1")
    done = invoke("sync-uok", orchestrator.path, "--adopt")
    assert done.exit_code == 0
    assert " 0 added, 1 corrected upstream, 1 unchanged, 0 rejected" in done.stdout
    assert "append-only" in done.stderr
    assert query(LOGGED) == before
    ((reasons, raw),) = query("select reasons, raw_text from rejected_outcomes")
    assert json.loads(reasons) == [
        {"field": "success", "problem": "was corrected after the adoption; the log keeps 1", "got": "0"},
        {"field": "cost_usd", "problem": "was corrected after the adoption; the log keeps 0.5", "got": "0.25"},
    ]
    assert json.loads(raw)["succeeded"] == 0
    # It is told again with every change, and written down once.
    orchestrator.add([unit(3)])
    assert " 1 added, 1 corrected upstream" in invoke("sync-uok", orchestrator.path, "--adopt").stdout
    assert query("select count(*) from rejected_outcomes") == [(1,)]


def test_what_a_killed_pass_has_adopted_keeps_a_mirror_out(
    orchestrator: Orchestrator, database, monkeypatch, invoke, query
) -> None:
    orchestrator.add(unit(number) for number in range(30))
    monkeypatch.setattr(staging, "BATCH_ROWS", 10)
    monkeypatch.setattr(staging, "PAUSE_S", 0)
    child = os.fork()
    if not child:
        monkeypatch.setattr(staging, "keep_rejects", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
        adoption.adopt(store.create_or_open(database), orchestrator.path)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert query("select count(*) from model_outcomes") == [(30,)]
    assert invoke("sync-uok", orchestrator.path).exit_code == 2
    assert " 0 added, 0 corrected upstream, 30 unchanged" in invoke("sync-uok", orchestrator.path, "--adopt").stdout


def test_bad_rows_are_refused(orchestrator: Orchestrator, invoke, query) -> None:
    orchestrator.add([unit(1), unit(2, succeeded=3)])
    done = invoke("sync-uok", orchestrator.path, "--adopt")
    assert done.exit_code == 3
    assert query("select count(*) from model_outcomes") == [(1,)]


@pytest.mark.parametrize(("first", "second"), [((), ("--adopt",)), (("--adopt",), ())])
def test_a_log_either_mirrors_or_adopts(orchestrator: Orchestrator, tmp_path, invoke, query, first, second) -> None:
    orchestrator.add([unit(1)])
    other = Orchestrator(tmp_path / "other.db")
    other.execute(TABLE)
    other.add([unit(2)])
    assert invoke("sync-uok", orchestrator.path, *first).exit_code == 0
    for path in (orchestrator.path, other.path):
        done = invoke("sync-uok", path, *second)
        assert done.exit_code == 2
        assert "another log (--db)" in done.stderr
    assert query("select (select count(*) from model_outcomes) + (select count(*) from llm_task_outcomes)") == [(1,)]

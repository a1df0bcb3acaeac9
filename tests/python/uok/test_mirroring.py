"""`loader sync-uok`: what it takes, what it refuses, and what it never does twice."""

import json
import os
import signal
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from model_outcomes.base import clock
from model_outcomes.base.messages import Fault
from model_outcomes.intake.uok import mirror, source, staging
from model_outcomes.log import store

from .conftest import LOOSE_TABLE, START, TABLE, Orchestrator, unit

COLUMNS = (
    "model_id, provider, unit_type, unit_id, succeeded, retries, escalated, verification_passed, blocker_discovered,"
    " duration_ms, tokens_total, cost_usd, recorded_at"
)


@pytest.fixture
def loose(orchestrator: Orchestrator) -> Orchestrator:
    """Its table has no types, and only some of the columns."""
    orchestrator.execute("drop table llm_task_outcomes")
    orchestrator.execute(LOOSE_TABLE)
    return orchestrator


def loosely(number: int, **fields) -> dict:
    good = {"unit_id": f"T{number}", "recorded_at": START, "succeeded": 1, "unit_type": "code", "model_id": "able"}
    return {**good, **fields}


def test_a_row_comes_as_it_is(orchestrator: Orchestrator, invoke, query) -> None:
    orchestrator.add([unit(1, verification_passed=None, cost_usd=0, tokens_total=None, escalated=1)])
    done = invoke("sync-uok", orchestrator.path)
    assert done.stdout.splitlines()[0].endswith("1 seen, 1 added, 0 changed, 0 unchanged, 0 rejected")
    assert query(f"select {COLUMNS} from llm_task_outcomes") == orchestrator.execute(
        f"select {COLUMNS} from llm_task_outcomes"
    )


def test_the_database_is_only_read(orchestrator: Orchestrator, invoke) -> None:
    orchestrator.add(unit(number) for number in range(10))
    before = orchestrator.path.read_bytes()
    orchestrator.path.chmod(0o444)
    assert invoke("sync-uok", orchestrator.path).exit_code == 0
    assert orchestrator.path.read_bytes() == before


@pytest.mark.parametrize(
    ("fields", "column", "stored"),
    [
        ({"succeeded": "true"}, "succeeded", 1),
        ({"succeeded": " FALSE "}, "succeeded", 0),
        ({"succeeded": 1.0}, "succeeded", 1),
        ({"recorded_at": float(START)}, "recorded_at", START),
        ({"recorded_at": str(START)}, "recorded_at", START),
        ({"cost_usd": "0.25"}, "cost_usd", 0.25),
        ({"cost_usd": 3}, "cost_usd", 3.0),
        ({"cost_usd": None}, "cost_usd", None),
        ({"model_id": " é/模 "}, "model_id", " é/模 "),
        ({}, "tokens_total", None),
    ],
)
def test_loose_types_are_taken_for_what_they_mean(loose: Orchestrator, invoke, query, fields, column, stored) -> None:
    loose.add([loosely(1, **fields)])
    assert invoke("sync-uok", loose.path).exit_code == 0
    ((found,),) = query(f"select {column} from llm_task_outcomes")
    assert (found, type(found)) == (stored, type(stored))


def test_fractions_of_a_millisecond_are_rounded(orchestrator: Orchestrator, invoke, query) -> None:
    orchestrator.add([unit(1, duration_ms=1234.5), unit(2, duration_ms=0.4)])
    assert invoke("sync-uok", orchestrator.path).exit_code == 0
    assert query("select duration_ms from llm_task_outcomes order by unit_id") == [(1235,), (0,)]


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"succeeded": None}, "succeeded: is null (no verdict)"),
        ({"succeeded": 2}, "succeeded: expected 0 or 1, got 2"),
        ({"succeeded": "maybe"}, "succeeded: expected 0 or 1, got 'maybe'"),
        ({"model_id": None}, "model_id: is null"),
        ({"model_id": " "}, "model_id: is blank, or holds what is no text, got ' '"),
        ({"model_id": 7}, "model_id: expected str, got 7"),
        ({"unit_id": b"\xff"}, "unit_id: expected str, got b'\\xff'"),
        ({"cost_usd": -0.5}, "cost_usd: expected float >= 0.0, got -0.5"),
        ({"cost_usd": float("inf")}, "cost_usd: expected float <= 1000000.0, got inf"),
        ({"cost_usd": "free"}, "cost_usd: expected float, got 'free'"),
        ({"recorded_at": START // 1000}, f"recorded_at: expected epoch milliseconds, got {START // 1000}"),
        ({"recorded_at": "2026-01-31"}, "recorded_at: expected epoch milliseconds, got '2026-01-31'"),
        ({"recorded_at": "9" * 5000}, f"recorded_at: expected epoch milliseconds, got '{'9' * 56}..."),
        ({"recorded_at": 250_000_000_000_000}, "recorded_at: more than a day ahead of now"),
    ],
)
def test_a_bad_row_is_refused_with_its_reason_and_the_others_come(
    loose: Orchestrator, invoke, query, fields, reason
) -> None:
    loose.add([loosely(1), loosely(2, **fields), loosely(3)])
    done = invoke("sync-uok", loose.path)
    assert done.exit_code == 3
    assert query("select unit_id from llm_task_outcomes") == [("T1",), ("T3",)]
    ((where, line, reasons),) = query("select source, line_number, reasons from rejected_outcomes")
    assert (where, line, [str(Fault(**fault)) for fault in json.loads(reasons)]) == (str(loose.path), 2, [reason])


def test_every_fault_of_a_row_is_named(loose: Orchestrator, invoke, query) -> None:
    loose.add([loosely(1, succeeded=None, model_id="", cost_usd=-1, recorded_at=None)])
    invoke("sync-uok", loose.path)
    ((reasons, raw),) = query("select reasons, raw_text from rejected_outcomes")
    assert [fault["field"] for fault in json.loads(reasons)] == [
        "model_id", "succeeded", "cost_usd", "recorded_at",
    ]  # fmt: skip
    assert json.loads(raw)["unit_id"] == "T1"


def test_text_that_is_no_text_is_refused(loose: Orchestrator, invoke, query) -> None:
    loose.execute(
        "insert into llm_task_outcomes (unit_id, recorded_at, succeeded, unit_type, model_id)"
        f" values (cast(x'41ff' as text), {START}, 1, 'code', 'able')"
    )
    assert invoke("sync-uok", loose.path).exit_code == 3
    assert "no text" in query("select reasons from rejected_outcomes")[0][0]


def test_a_bad_row_is_not_counted_again(orchestrator: Orchestrator, invoke, query) -> None:
    orchestrator.add([unit(1), unit(2, succeeded=5)])
    assert invoke("sync-uok", orchestrator.path, "--max-rejects", 1).exit_code == 0
    orchestrator.add([unit(3), unit(4, cost_usd=-1)])
    done = invoke("sync-uok", orchestrator.path)
    assert done.stdout.splitlines()[0].endswith("4 seen, 1 added, 0 changed, 1 unchanged, 1 rejected")
    orchestrator.execute("update llm_task_outcomes set succeeded = 1 where succeeded = 5")
    done = invoke("sync-uok", orchestrator.path)
    assert done.stdout.splitlines()[0].endswith("4 seen, 1 added, 0 changed, 2 unchanged, 0 rejected")
    assert query("select count(*) from rejected_outcomes") == [(2,)]


def test_of_rows_with_one_identity_the_last_counts(orchestrator: Orchestrator, invoke, query) -> None:
    orchestrator.add([unit(1, succeeded=0), unit(2), unit(1, succeeded=1, model_id="escalated")])
    assert invoke("sync-uok", orchestrator.path).exit_code == 3
    key = f"recorded_at = {unit(1)['recorded_at']}"
    assert query(f"select model_id, succeeded from llm_task_outcomes where {key}") == [("escalated", 1)]
    assert "the last one counts" in query("select reasons from rejected_outcomes")[0][0]
    orchestrator.add([unit(3)])
    done = invoke("sync-uok", orchestrator.path)
    assert done.stdout.splitlines()[0].endswith("4 seen, 1 added, 0 changed, 2 unchanged, 0 rejected")


def test_identical_rows_are_each_refused_once(loose: Orchestrator, invoke, query) -> None:
    loose.add([loosely(1)] * 3)
    done = invoke("sync-uok", loose.path, "--max-rejects", 1)
    assert done.exit_code == 3
    assert "3 seen, 1 added, 0 changed, 0 unchanged, 2 rejected" in done.stdout
    assert query("select line_number from rejected_outcomes") == [(1,), (2,)]


def test_a_row_that_came_too_early_comes_in_time(orchestrator: Orchestrator, monkeypatch, invoke, query) -> None:
    now = clock.utc_now()
    orchestrator.add([unit(1), unit(2, recorded_at=int(now.timestamp() * 1000))])
    monkeypatch.setattr(clock, "utc_now", lambda: now - timedelta(days=2))
    assert " 1 added, 0 changed, 0 unchanged, 1 rejected" in invoke("sync-uok", orchestrator.path).stdout
    monkeypatch.undo()
    assert " 1 added, 0 changed, 1 unchanged, 0 rejected" in invoke("sync-uok", orchestrator.path).stdout
    # For what lies years ahead the file is not read again and again.
    orchestrator.add([unit(3, recorded_at=250_000_000_000_000)])
    assert " 1 rejected" in invoke("sync-uok", orchestrator.path).stdout
    assert "skipped" in invoke("sync-uok", orchestrator.path).stdout


def test_units_that_were_run_again_and_again_are_found_by_their_start(database: Path, tmp_path: Path) -> None:
    """The work of a pass, in steps of SQLite's machine, grows with the rows and not with their square."""

    def steps(name: str, same: bool) -> int:
        uok = Orchestrator(tmp_path / name)
        uok.execute(TABLE)
        uok.add(unit(number, **({"unit_type": "code", "unit_id": "T1"} if same else {})) for number in range(1000))
        counted: list[None] = []
        with closing(store.create_or_open(tmp_path / f"{name}.log")) as connection:
            mirror.sync(connection, uok.path)
            uok.execute("update llm_task_outcomes set retries = 7 where id = 1")
            connection.set_progress_handler(lambda: counted.append(None), 1000)
            assert mirror.sync(connection, uok.path).changed == 1
        return len(counted)

    assert steps("same.db", same=True) < 2 * steps("each.db", same=False)


def test_what_vanished_is_kept_and_said(orchestrator: Orchestrator, tmp_path, invoke, query) -> None:
    orchestrator.add([unit(1), unit(2)])
    invoke("sync-uok", orchestrator.path)
    orchestrator.execute("delete from llm_task_outcomes where unit_id = ?", unit(1)["unit_id"])
    done = invoke("sync-uok", orchestrator.path)
    assert "1 mirrored rows were deleted there, and are kept here" in done.stderr
    assert query("select count(*) from llm_task_outcomes") == [(2,)]
    # Another database's rows are none of its business, nor is a row that has gone bad.
    other = Orchestrator(tmp_path / "other.db")
    other.execute(LOOSE_TABLE)
    other.add([loosely(1), loosely(2)])
    assert "gone" not in invoke("sync-uok", other.path).stderr
    other.execute("update llm_task_outcomes set succeeded = null where unit_id = 'T1'")
    assert "gone" not in invoke("sync-uok", other.path).stderr


@pytest.mark.parametrize("lost", ["true", "unit_id like '%T1'", "unit_id like '%T3'"])
def test_a_mirror_that_lost_rows_is_filled_again(orchestrator: Orchestrator, tmp_path, database, invoke, query, lost):
    other = Orchestrator(tmp_path / "other.db")
    other.execute(TABLE)
    orchestrator.add([unit(1), unit(2)])
    other.add([unit(3), unit(4)])
    for path in (orchestrator.path, other.path):
        assert " 2 added" in invoke("sync-uok", path).stdout
    # One of them is kept though it is gone there: it hides no row that is lost.
    orchestrator.execute("delete from llm_task_outcomes where unit_id like '%T2'")
    invoke("sync-uok", orchestrator.path)
    for path in (orchestrator.path, other.path):
        assert "skipped" in invoke("sync-uok", path).stdout
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(f"delete from llm_task_outcomes where {lost}")
    for path in (orchestrator.path, other.path):
        invoke("sync-uok", path)
    assert query("select unit_id from llm_task_outcomes where unit_id not like '%T2' order by 1") == [
        (unit(number)["unit_id"],) for number in (1, 3, 4)
    ]


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_no_commit_escapes_the_fingerprint(orchestrator: Orchestrator, mode) -> None:
    """Small changes in place, one at once after the other: no size changes, not even that of a WAL begun anew."""
    orchestrator.execute(f"pragma journal_mode = {mode}")
    orchestrator.add(unit(number) for number in range(100))
    with closing(sqlite3.connect(orchestrator.path, isolation_level=None)) as client:
        client.execute("pragma wal_autocheckpoint = 1")
        known = [source.fingerprint(orchestrator.path)]
        for number in range(60):
            client.execute("update llm_task_outcomes set retries = ? where id = 1", (number % 10 + 10,))
            known.append(source.fingerprint(orchestrator.path))
    assert None not in known
    assert len(set(known)) == len(known)


def test_a_commit_during_the_pass_is_found_by_the_next(orchestrator: Orchestrator, monkeypatch, invoke) -> None:
    orchestrator.add([unit(1)])
    read = source.batches

    def read_and_write(path):
        yield from read(path)
        orchestrator.add([unit(2)])

    monkeypatch.setattr(source, "batches", read_and_write)
    assert "1 seen, 1 added" in invoke("sync-uok", orchestrator.path).stdout
    monkeypatch.setattr(source, "batches", read)
    assert "2 seen, 1 added" in invoke("sync-uok", orchestrator.path).stdout


def test_a_commit_behind_a_link_is_seen(orchestrator: Orchestrator, tmp_path, invoke) -> None:
    """What is not checkpointed yet lies in the WAL beside the file, and not beside the link."""
    (tmp_path / "links").mkdir()
    link = tmp_path / "links" / "linked.db"
    link.symlink_to(orchestrator.path)
    with closing(sqlite3.connect(orchestrator.path, isolation_level=None)) as client:
        client.execute("select 1 from llm_task_outcomes").fetchall()
        orchestrator.add([unit(1)])
        assert " 1 added" in invoke("sync-uok", link).stdout
        assert "skipped" in invoke("sync-uok", link).stdout
        orchestrator.add([unit(2)])
        assert " 1 added" in invoke("sync-uok", link).stdout


def test_a_file_too_young_to_know_is_not_remembered(orchestrator: Orchestrator, monkeypatch, invoke, query) -> None:
    """As on a file system whose times stand still for longer than a pass takes."""
    monkeypatch.setattr(source, "TICK_S", 3600.0)
    monkeypatch.setattr("model_outcomes.intake.uok.source.time.sleep", lambda seconds: None)
    orchestrator.add([unit(1)])
    invoke("sync-uok", orchestrator.path)
    assert query("select head_sha256 from load_history") == [("",)]
    assert "1 unchanged" in invoke("sync-uok", orchestrator.path).stdout


def test_a_killed_pass_is_made_up_for(orchestrator: Orchestrator, database, monkeypatch, query) -> None:
    orchestrator.add(unit(number) for number in range(50))
    monkeypatch.setattr(staging, "BATCH_ROWS", 10)
    child = os.fork()
    if not child:
        connection = store.create_or_open(database)
        # The third transaction of the log is killed before it commits: the note of the pass, then batches.
        statements: list[str] = []

        def note(statement: str) -> None:
            statements.append(statement)
            _kill_at(statements)

        connection.set_trace_callback(note)
        from model_outcomes.intake import uok

        uok.sync(connection, orchestrator.path)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    assert query("select count(*) from llm_task_outcomes") == [(10,)]
    with closing(store.create_or_open(database)) as connection:
        from model_outcomes.intake import uok

        found = uok.sync(connection, orchestrator.path)
    assert (found.skipped, found.added, found.unchanged) == (False, 40, 10)
    assert query(f"select {COLUMNS} from llm_task_outcomes order by recorded_at") == orchestrator.execute(
        f"select {COLUMNS} from llm_task_outcomes order by recorded_at"
    )


def _kill_at(statements: list[str]) -> None:
    if sum(said.lstrip().startswith("insert into llm_task_outcomes") for said in statements) == 2:
        os.kill(os.getpid(), signal.SIGKILL)


def test_a_missing_column_is_named(orchestrator: Orchestrator, invoke) -> None:
    orchestrator.execute("alter table llm_task_outcomes rename column succeeded to success")
    done = invoke("sync-uok", orchestrator.path)
    assert done.exit_code == 2
    assert "llm_task_outcomes has no column succeeded, which is required (it has id, model_id" in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_other_files_are_refused_in_one_line(tmp_path, database, invoke) -> None:
    empty, text = tmp_path / "empty.db", tmp_path / "text.db"
    empty.write_bytes(b"")
    text.write_text("no database at all, but some text of a certain length " * 40)
    invoke("init")
    for path, said in [
        (tmp_path / "nowhere.db", "no database at"),
        (tmp_path, "is a folder"),
        (empty, "has no table llm_task_outcomes"),
        (text, "is not a usable SQLite database"),
        (database, "is this log itself"),
    ]:
        done = invoke("sync-uok", path)
        assert (done.exit_code, done.stdout) == (2, "")
        assert said in done.stderr
        assert len(done.stderr.splitlines()) == 1


def test_a_locked_database_is_busy(orchestrator: Orchestrator, monkeypatch, invoke) -> None:
    orchestrator.execute("pragma journal_mode = delete")
    monkeypatch.setenv("OUTCOMES_BUSY_TIMEOUT", "0")
    with closing(sqlite3.connect(orchestrator.path, isolation_level=None)) as client:
        client.execute("begin exclusive")
        done = invoke("sync-uok", orchestrator.path)
    assert done.exit_code == 75
    assert "try again later" in done.stderr


def test_a_view_or_a_table_without_rowids_will_do(orchestrator: Orchestrator, invoke, query) -> None:
    orchestrator.add([unit(1), unit(2)])
    orchestrator.execute("alter table llm_task_outcomes rename to outcomes_v2")
    orchestrator.execute("create view llm_task_outcomes as select * from outcomes_v2")
    assert invoke("sync-uok", orchestrator.path).exit_code == 0
    assert query("select count(*) from llm_task_outcomes") == [(2,)]


def test_an_orchestrators_database_is_not_taken_for_a_log(orchestrator: Orchestrator, invoke, database) -> None:
    orchestrator.add([unit(1)])
    before = orchestrator.execute("select * from sqlite_master")
    orchestrator.path.replace(database)
    done = invoke("init")
    assert done.exit_code == 2
    assert "stays as it is: name another file with --db" in done.stderr
    assert Orchestrator(database).execute("select * from sqlite_master") == before
    assert Orchestrator(database).execute("select count(*) from llm_task_outcomes") == [(1,)]

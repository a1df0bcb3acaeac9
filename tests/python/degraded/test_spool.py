"""What waits in a spool is drained exactly once: while others append, twice at once, killed in the middle."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import msgspec
import pytest

from model_outcomes.base import clock, paths
from model_outcomes.base.errors import OutcomesError
from model_outcomes.intake import loads
from model_outcomes.intake.drain import DrainResult
from model_outcomes.intake.drain import drain as drain_spools
from model_outcomes.intake.writer import LoadResult, Writer
from model_outcomes.log import outcome, spool, store, validation
from model_outcomes.log.recorder import Recorder

PATIENCE = 60
ENOUGH = 11  # outcomes that an appender has kept before it is killed
EACH = "select count(*), count(distinct event_id) from model_outcomes"
APPENDER = """
import sys
from pathlib import Path
from model_outcomes.log import spool, validation
database, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
for number in range(count):
    spool.append(database, validation.parse_json(
        b'{"task_type": "t", "model_id": "m", "success": true, "timestamp": "2026-01-31T12:00:00Z",'
        b' "event_id": "%s-%d"}' % (name.encode(), number)))
    print(number, flush=True)
"""


def an_outcome(event_id: str | None = None, **fields: object) -> outcome.Outcome:
    given = {"task_type": "coding", "model_id": "alpha", "success": True, "timestamp": "2026-01-31T12:00:00Z"}
    return validation.parse_fields({**given, **({"event_id": event_id} if event_id else {}), **fields})


@pytest.fixture
def drain(database: Path) -> Callable[[], DrainResult]:
    def run() -> DrainResult:
        with closing(store.create_or_open(database)) as connection:
            return drain_spools(connection, database)

    return run


@pytest.fixture
def start_appender(database: Path) -> Callable[[str, int], "subprocess.Popen[str]"]:
    def start(name: str, count: int) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", APPENDER, str(database), name, str(count)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)

    return start


def test_appenders_and_drains_all_at_once(database: Path, query, drain, start_appender, start_loader) -> None:
    appenders = [start_appender(name, 300) for name in ("a", "b", "c")]
    drained = 0
    while any(appender.poll() is None for appender in appenders):
        others = [start_loader("drain") for _ in range(2)]
        drained += drain().accepted
        for other in others:
            said, complaint = other.communicate(timeout=PATIENCE)
            assert other.returncode == 0, complaint
            drained += int(next(line for line in said.splitlines() if "accepted" in line).split()[0])
    drained += drain().accepted
    assert query(EACH) == [(900, 900)]
    assert drained == 900
    assert list(database.parent.glob("*spool*")) == []


def test_killed_appenders_lose_nothing_that_they_were_told_is_kept(
    database: Path, query, drain, start_appender
) -> None:
    appenders = {name: start_appender(name, 100_000) for name in ("a", "b")}
    kept = {}
    for appender in appenders.values():
        assert all(appender.stdout.readline() for _ in range(ENOUGH))
    for name, appender in appenders.items():
        appender.send_signal(signal.SIGKILL)
        # read(), because communicate() would pass over the lines that readline() has buffered.
        kept[name] = ENOUGH + appender.stdout.read().count("\n")
        appender.wait(timeout=PATIENCE)
    result = drain()
    for name, count in kept.items():
        ((found,),) = query("select count(*) from model_outcomes where event_id like ? || '-%'", name)
        assert count <= found <= count + 1
    assert result.rejected == 0


def test_a_drain_killed_anywhere_is_gone_on_with(database: Path, query, drain, start_loader) -> None:
    bad = json.dumps({"task_type": "coding", "model_id": "alpha", "success": True, "event_id": "no time"})
    lines = b"".join(
        json.dumps({"task_type": "t", "model_id": "m", "success": True, "timestamp": "2026-01-31T12:00:00Z",
                    "event_id": f"e{number}", "task_id": "x" * 300}).encode() + b"\n"
        for number in range(20_000)
    )  # fmt: skip
    paths.spool(database).write_bytes(bad.encode() + b"\n" + lines)
    for done in (0, 2_000, 10_000):
        process = start_loader("drain")
        deadline = time.monotonic() + PATIENCE
        while query(EACH)[0][0] <= done and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.002)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=PATIENCE)
    assert 10_000 < query(EACH)[0][0] < 20_000
    spool.append(database, an_outcome("later"))
    drain()
    assert query(EACH) == [(20_001, 20_001)]
    assert query("select count(*) from rejected_outcomes") == [(1,)]
    assert list(database.parent.glob("*spool*")) == []


def test_killed_between_the_last_commit_and_the_removal(database: Path, query, drain, monkeypatch) -> None:
    for number in range(5):
        spool.append(database, an_outcome(f"e{number}"))
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            drain()
    assert query(EACH) == [(5, 5)]
    assert drain().accepted == 0
    assert query(EACH) == [(5, 5)]
    assert list(database.parent.glob("*spool*")) == []


def test_a_line_that_was_cut_off_spoils_no_other(database: Path, query, drain) -> None:
    path = spool.append(database, an_outcome("first"))
    with path.open("ab") as file:
        file.write(b'{"task_type": "cod')
    spool.append(database, an_outcome("second"))
    with path.open("ab") as file:
        file.write(b"\0" * 500)
    result = drain()
    assert (result.accepted, result.duplicates, result.rejected, result.files) == (2, 0, 2, [path])
    assert query("select event_id from model_outcomes") == [("first",), ("second",)]
    assert query("select line_number from rejected_outcomes") == [(2,), (4,)]


@pytest.mark.parametrize("content", [b"", b"\0" * 4096, b"\n\n", b"nonsense"])
def test_a_spool_without_an_outcome_is_removed(database: Path, drain, query, content: bytes) -> None:
    paths.spool(database).write_bytes(content)
    assert drain().accepted == 0
    assert not paths.spool(database).exists()
    assert query("select count(*) from rejected_outcomes") == [(1 if content.strip() else 0,)]


def test_the_same_event_in_log_and_spool_is_one_outcome(database: Path, query, drain, invoke) -> None:
    invoke("record", "--task-type", "coding", "--model-id", "alpha", "--success", "--event-id", "e")
    spool.append(database, an_outcome("e"))
    spool.append(database, an_outcome("e"))
    spool.append(database, an_outcome("e", success=False))
    result = drain()
    assert (result.accepted, result.duplicates, result.rejected, result.renamed_count) == (1, 2, 0, 1)
    spool.append(database, an_outcome("e", success=False))
    assert drain().duplicates == 1, "it gets the same new name again"
    assert query("select substr(event_id, 1, 2), success from model_outcomes order by id") == [("e", 1), ("e~", 0)]


def test_a_wrong_clock_loses_nothing(database: Path, query, invoke, caplog) -> None:
    """An outcome got its time before the clock was set back: the log refuses that time, and the spool takes it."""
    ahead = validation.from_values(
        {**dict.fromkeys(outcome.FIELDS), "task_type": "t", "model_id": "m", "success": True}
    )
    ahead = msgspec.structs.replace(ahead, timestamp=clock.utc_now() + timedelta(days=900))
    recorder = Recorder(database)
    assert recorder.keep(ahead) == paths.spool(database)
    assert "clock" in str(recorder.trouble)
    recorder.close()
    before = clock.to_text(clock.utc_now())
    result = invoke("drain")
    assert result.exit_code == 0
    assert "1 outcomes had a time more than a day ahead" in result.stderr
    ((timestamp, event_id),) = query("select timestamp, event_id from model_outcomes")
    assert before <= timestamp <= clock.to_text(clock.utc_now())
    assert event_id == ahead.event_id


FOREIGN = {
    "a file of outcomes": b'{"task_type": "t", "model_id": "m", "success": true, "event_id": "e",'
    b' "timestamp": "2026-01-31T12:00:00Z"}\n',
    "another order": b'{"task_type":"t","success":true,"model_id":"m","timestamp":"2026-01-31T12:00:00Z",'
    b'"event_id":"e"}\n',
    "no event_id": b'{"task_type":"t","model_id":"m","success":true,"timestamp":"2026-01-31T12:00:00Z"}\n',
    "more fields": b'{"task_type":"t","model_id":"m","success":true,"timestamp":"2026-01-31T12:00:00Z",'
    b'"event_id":"e","run":1}\n',
    "notes": b"do not lose me\n",
    "zeros": b"\0" * 4096,
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_file_of_the_user_is_no_spool(database: Path, invoke, query, tmp_path, monkeypatch, content: bytes) -> None:
    named = tmp_path / "mine.jsonl"
    named.write_bytes(content)
    monkeypatch.setenv("OUTCOMES_SPOOL", str(named))
    path = spool.append(database, an_outcome("kept"))
    assert path == Path(f"{database}.spool.jsonl")
    result = invoke("drain")
    assert (result.exit_code, result.stderr.count("\n"), str(named) in result.stderr) == (2, 1, True)
    assert query("select event_id from model_outcomes") == [("kept",)]
    assert named.read_bytes() == content
    assert str(named) in invoke("doctor").stdout
    assert not spool.waiting_files(database)


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm"])
@pytest.mark.parametrize("by_link", [False, True])
def test_the_database_is_no_spool(database: Path, invoke, query, tmp_path, monkeypatch, suffix: str, by_link) -> None:
    named = Path(f"{database}{suffix}")
    if by_link:
        (tmp_path / "link.jsonl").symlink_to(named)
        named = tmp_path / "link.jsonl"
    monkeypatch.setenv("OUTCOMES_SPOOL", str(named))
    assert spool.append(database, an_outcome("kept")) == Path(f"{database}.spool.jsonl")
    invoke("drain")
    invoke("drain")
    assert query("select event_id from model_outcomes") == [("kept",)]
    assert query("pragma integrity_check") == [("ok",)]


@pytest.mark.parametrize("kind", ["fifo", "folder"])
def test_what_is_no_file_is_no_spool(database: Path, invoke, tmp_path, monkeypatch, kind: str) -> None:
    named = tmp_path / "named"
    if kind == "fifo":
        os.mkfifo(named)
        monkeypatch.setenv("OUTCOMES_SPOOL", str(named))
    else:
        named = Path(f"{database}.spool.jsonl")
        named.mkdir()
    result = invoke("drain")
    assert (result.exit_code, str(named) in result.stderr) == (2, True)
    assert named.exists()


def test_a_spool_under_a_name_of_the_user_is_drained(database: Path, drain, query, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("OUTCOMES_SPOOL", str(tmp_path / "mine"))
    spool.append(database, an_outcome("first", cost_usd=0.1, model_id="模型"))
    spool.append(database, an_outcome("second"))
    (tmp_path / "mine").write_bytes((tmp_path / "mine").read_bytes()[:-5])
    assert drain().accepted == 1
    (tmp_path / "mine").write_bytes(b'{"task_type":"cut o')
    spool.append(database, an_outcome("third"))
    assert drain().accepted == 1
    assert query("select event_id from model_outcomes") == [("first",), ("third",)]
    assert not (tmp_path / "mine").exists()


def test_a_log_that_is_moved_while_it_is_drained_keeps_the_spool(database: Path, query, drain, monkeypatch) -> None:
    spool.append(database, an_outcome("first"))
    load = loads.load_source

    def then_move(*arguments: Any, **options: Any) -> LoadResult:
        result = load(*arguments, **options)
        database.rename(database.with_name("moved.db"))
        Path(f"{database}-wal").unlink()
        return result

    with monkeypatch.context() as patch:
        patch.setattr(loads, "load_source", then_move)
        assert len(drain().faults) == 1
    assert drain().accepted == 1
    assert query(EACH) == [(1, 1)]


def test_every_place_is_drained(database: Path, query, drain, monkeypatch, tmp_path: Path) -> None:
    spool.append(database, an_outcome())
    monkeypatch.setenv("OUTCOMES_SPOOL", str(tmp_path / "new" / "named.jsonl"))
    assert spool.append(database, an_outcome()) == tmp_path / "new" / "named.jsonl"
    last = paths.spools(database)[-1]
    last.parent.mkdir(parents=True)
    Path(f"{database}.spool.jsonl").rename(last)
    spool._append(Path(f"{database}.spool.jsonl"), b"\n", database)
    assert len(paths.spools(database)) == 3
    assert drain().files == paths.spools(database)
    assert query(EACH) == [(2, 2)]


def test_a_write_that_is_cut_short_is_taken_back(database: Path, monkeypatch, tmp_path: Path) -> None:
    first = spool.append(database, an_outcome("first"))
    before = first.read_bytes()
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[: len(data) // 2]) if b"second" in data else 0)
    with pytest.raises(OutcomesError):
        spool.append(database, an_outcome("second"))
    assert first.read_bytes() == before


def test_a_drain_that_holds_a_file_is_not_waited_for(database: Path) -> None:
    spool.append(database, an_outcome("first"))
    (path,) = {*database.parent.glob("*spool*")}
    claims = spool.claimed(path, database)
    claimed = next(claims)
    begun = time.monotonic()
    assert spool.append(database, an_outcome("second")) == path
    assert time.monotonic() - begun < spool.LOCK_WAIT_S
    assert (claimed.read_text().count("\n"), path.read_text().count("\n")) == (1, 1)
    assert claimed not in list(spool.claimed(path, database)), "it is held"


def test_a_database_that_does_not_take_the_rows_leaves_them_waiting(database: Path, query, drain, monkeypatch) -> None:
    spool.append(database, an_outcome("first"))
    with monkeypatch.context() as patch:
        patch.setattr(Writer, "write", Mock(side_effect=sqlite3.OperationalError("full")))
        with pytest.raises(sqlite3.OperationalError):
            drain()
    assert query(EACH) == [(0, 0)]
    drain()
    assert query(EACH) == [(1, 1)]


def test_what_is_removed_was_synced_before(database: Path) -> None:
    spool.append(database, an_outcome("first"))
    said: list[str] = []
    with closing(store.create_or_open(database, durability="normal")) as connection:
        connection.set_trace_callback(said.append)
        drain_spools(connection, database)
        assert connection.execute("pragma synchronous").fetchone() == (1,)
    assert next(number for number, text in enumerate(said) if "synchronous = full" in text) < next(
        number for number, text in enumerate(said) if "insert into model_outcomes" in text
    )

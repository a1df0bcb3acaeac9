"""Whatever is wrong with the database, recording goes on, and nothing is lost or counted twice."""

import json
import logging
import shlex
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from model_outcomes import ModelOutcomes
from model_outcomes.base import paths
from model_outcomes.base.errors import OutcomesError
from model_outcomes.log import outcome, spool, store, validation

from .conftest import locked, without_override

OUTCOME = ("record", "--task-type", "coding", "--model-id", "alpha", "--failure", "--cost-usd", "0.25")
COUNT = "select count(*), count(distinct event_id) from model_outcomes where task_type <> 'filler'"


def test_a_command_spools_and_says_so_in_a_line(invoke, query, database: Path, trouble, waiting) -> None:
    with trouble(database):
        for event_id in ([], ["--event-id", "mine"]):
            result = invoke(*OUTCOME, *event_id)
            assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (0, "", 1)
        first, second = waiting()
        assert (first["cost_usd"], first["success"], second["event_id"]) == (0.25, False, "mine")
        assert first["event_id"]
        assert any(str(path) in result.stderr for path in paths.spools(database))
    result = invoke("drain")
    assert (result.exit_code, "2 accepted, 0 duplicates, 0 rejected" in result.stdout) == (0, True)
    assert query("select event_id, timestamp, success, cost_usd from model_outcomes order by id") == [
        (line["event_id"], line["timestamp"].replace("Z", "").ljust(26, "0") + "Z", 0, 0.25) for line in (first, second)
    ]
    assert "0 accepted, 0 duplicates, 0 rejected" in invoke("drain").stdout
    assert query(COUNT) == [(2, 2)]
    assert not [path for path in paths.spools(database) if path.exists()]


def test_python_goes_on_with_one_warning(query, invoke, database: Path, trouble, waiting, caplog) -> None:
    with ModelOutcomes(database) as outcomes:
        outcomes.record("coding", "before", True)
        outcomes.close()
        with trouble(database):
            assert [outcomes.record("coding", "meanwhile", True) for _ in range(3)] == [True] * 3
            assert len(waiting()) == 3
        assert outcomes.record("coding", "after", True) is True
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    invoke("drain")
    assert query("select model_id, count(*) from model_outcomes group by 1") == [
        ("after", 1), ("before", 1), ("meanwhile", 3),
    ]  # fmt: skip


def test_an_open_log_that_is_locked_is_noticed(database: Path, query, waiting) -> None:
    with ModelOutcomes(database) as outcomes:
        outcomes.record("coding", "beta", True)
        with closing(sqlite3.connect(database, isolation_level=None)) as other:
            other.execute("begin immediate")
            outcomes.record("coding", "gamma", True)
        outcomes.record("coding", "delta", True)
    assert query("select model_id from model_outcomes") == [("beta",), ("delta",)]
    assert [line["model_id"] for line in waiting()] == ["gamma"]


def test_a_lock_is_waited_for_once(database: Path, monkeypatch) -> None:
    monkeypatch.setenv("OUTCOMES_BUSY_TIMEOUT", "1")
    with ModelOutcomes(database) as outcomes, closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("begin immediate")
        waits = []
        for _ in range(20):
            begun = time.monotonic()
            assert outcomes.record("coding", "alpha", True)
            waits.append(time.monotonic() - begun)
        other.execute("rollback")
        assert outcomes.record("coding", "alpha", True)
        (timeout,) = outcomes._recorder.ask(lambda log: log.execute("pragma busy_timeout").fetchone())
    assert waits[0] >= 1
    assert sum(waits[1:]) < 1 + waits[0], "the others did not wait"
    assert timeout == 1000


def test_strict_raises_and_spools_nothing(database: Path, trouble, waiting) -> None:
    with trouble(database), ModelOutcomes(database, strict=True) as outcomes:
        with pytest.raises(OutcomesError):
            outcomes.record("coding", "alpha", True)
        assert waiting() == []


@pytest.fixture
def nowhere(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No place takes a spool: a full device, a folder that is none, a file in the way."""
    monkeypatch.setenv("OUTCOMES_SPOOL", "/dev/full")
    monkeypatch.setenv("XDG_STATE_HOME", "/dev/null/state")
    database.unlink()
    database.parent.rmdir()


@pytest.mark.usefixtures("nowhere")
def test_where_nothing_can_be_written_the_outcome_is_on_stderr(invoke, database: Path) -> None:
    result = invoke(*OUTCOME, "--event-id", "mine")
    assert (result.exit_code, result.stdout) == (74, "")
    outcome, fault = result.stderr.splitlines()
    assert json.loads(outcome)["event_id"] == "mine"
    assert json.loads(outcome)["cost_usd"] == 0.25
    for place in ("/dev/full", str(database.parent), "/dev/null/state"):
        assert place in fault


@pytest.mark.usefixtures("nowhere")
def test_where_nothing_can_be_written_python_is_told_false(database: Path, caplog) -> None:
    with ModelOutcomes(database) as outcomes:
        assert outcomes.record("coding", "alpha", True, event_id="mine") is False
    ((_, level, message),) = caplog.record_tuples
    assert (level, '"event_id":"mine"' in message) == (logging.ERROR, True)


def test_a_bug_does_not_reach_the_agent(database: Path, monkeypatch, caplog) -> None:
    monkeypatch.setattr("model_outcomes.log.recorder.Recorder.keep", lambda *_: 1 / 0)
    with ModelOutcomes(database) as outcomes:
        assert outcomes.record("coding", "alpha", True) is False
    assert caplog.records[0].exc_info


@pytest.mark.parametrize("value", ["fast", "1"])
def test_a_durability_that_is_none_is_refused(invoke, database: Path, monkeypatch, value: str, waiting) -> None:
    assert invoke(*OUTCOME, "--durability", value).exit_code == 2
    with pytest.raises(OutcomesError, match="full or normal"):
        ModelOutcomes(database, durability=value)
    monkeypatch.setenv("OUTCOMES_DURABILITY", value)
    result = invoke(*OUTCOME)
    assert (result.exit_code, "OUTCOMES_DURABILITY" in result.stderr, len(waiting())) == (0, True, 1)


@pytest.mark.parametrize(
    ("named", "asked", "synchronous"), [(None, None, 2), ("normal", None, 1), ("normal", "full", 2)]
)
def test_durability_is_chosen(database: Path, monkeypatch, named: str, asked: str, synchronous: int) -> None:
    if named:
        monkeypatch.setenv("OUTCOMES_DURABILITY", named)
    with ModelOutcomes(database, durability=asked) as outcomes:
        assert outcomes._recorder.ask(lambda log: log.execute("pragma synchronous").fetchone()) == (synchronous,)


def test_the_spool_can_be_named_and_be_a_shared_folder(
    invoke, query, database: Path, tmp_path: Path, monkeypatch
) -> None:
    (tmp_path / "shared").mkdir()
    monkeypatch.setenv("OUTCOMES_SPOOL", str(tmp_path / "shared"))
    other = tmp_path / "other" / "outcomes.db"
    for path in (database, other):
        path.with_suffix(".gone").parent.mkdir(exist_ok=True)
        path.write_text("no database" * 100)
        assert invoke("--db", path, *OUTCOME).exit_code == 0
        path.unlink()
    assert len(list((tmp_path / "shared").iterdir())) == 2
    invoke("drain")
    assert query(COUNT) == [(1, 1)]
    (left,) = (tmp_path / "shared").iterdir()
    assert left == paths.spool(other)


def test_a_spool_is_a_file_that_load_reads_too(invoke, query, database: Path, tmp_path: Path) -> None:
    database.unlink()
    database.write_text("no database" * 100)
    invoke(*OUTCOME)
    database.unlink()
    store.create_or_open(database).close()
    assert invoke("load", paths.spool(database)).exit_code == 0
    assert "0 accepted" in invoke("drain").stdout
    assert query(COUNT) == [(1, 1)]


def test_no_home_is_no_fault(database: Path) -> None:
    program = "import sys; from loader.cli import main; main()"
    database.unlink()
    database.parent.rmdir()
    result = subprocess.run(
        [sys.executable, "-c", program, "--db", str(database), *OUTCOME],
        env={"XDG_STATE_HOME": "nowhere/to/be/found"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, "Traceback" in result.stderr) == (74, False)


@pytest.mark.parametrize(
    "fault", [TypeError("a bug"), UnicodeDecodeError("utf-8", b"\xff", 0, 1, "no start"), KeyError(1)]
)
def test_a_fault_that_nobody_foresaw_spools(database: Path, query, invoke, monkeypatch, caplog, fault) -> None:
    with ModelOutcomes(database) as outcomes, monkeypatch.context() as patch:
        patch.setattr("model_outcomes.log.recorder.Recorder._insert_when_free", Mock(side_effect=fault))
        assert outcomes.record("coding", "alpha", True, event_id="e") is True
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    invoke("drain")
    assert query("select event_id from model_outcomes") == [("e",)]


def test_where_a_bug_leaves_no_place_the_outcome_is_on_the_logger(database: Path, monkeypatch, caplog) -> None:
    monkeypatch.setattr("model_outcomes.log.recorder.Recorder._insert_when_free", Mock(side_effect=TypeError))
    monkeypatch.setattr("model_outcomes.log.spool._append", Mock(side_effect=TypeError))
    with ModelOutcomes(database) as outcomes:
        assert outcomes.record("coding", "alpha", True, event_id="e") is False
    ((_, level, message),) = caplog.record_tuples
    assert (level, '"event_id":"e"' in message) == (logging.ERROR, True)


def test_a_schema_that_is_no_text(database: Path, invoke, waiting) -> None:
    content = database.read_bytes()
    database.write_bytes(content.replace(b"check (id > 0)", b"check (id \xff 0)"))
    result = invoke(*OUTCOME)
    assert (result.exit_code, result.stderr.count("\n")) == (0, 1)
    assert len(waiting()) == 1
    for arguments in (["stats"], ["drain"], ["load", "-"], ["build"], ["rank", "coding"], ["init"]):
        result = invoke(*arguments, input=b"")
        assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
        assert "is damaged" in result.stderr
    assert invoke("doctor").exit_code == 1


def test_an_outcome_of_the_interpreters_last_moment(database: Path, invoke, query, tmp_path: Path) -> None:
    program = (
        "import os, sys\n"
        "from model_outcomes import ModelOutcomes\n"
        "class Agent:\n"
        "    def __init__(self, path): self.outcomes = ModelOutcomes(path)\n"
        "    def __del__(self, write=os.write):\n"
        "        write(1, str(self.outcomes.record('coding', 'alpha', True, event_id='last')).encode())\n"
        "agent = Agent(sys.argv[1])\n"
    )
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("begin immediate")
        result = subprocess.run(
            [sys.executable, "-c", program, str(database)], capture_output=True, text=True, check=False
        )
    assert (result.returncode, result.stdout) == (0, "True"), result.stderr
    invoke("drain")
    assert query("select event_id from model_outcomes") == [("last",)]


def test_outcomes_have_names_of_their_own(database: Path, query) -> None:
    with ModelOutcomes(database) as outcomes:
        for _ in range(100):
            outcomes.record("coding", "alpha", True)
    ((names, longest),) = query("select count(distinct event_id), max(length(event_id)) from model_outcomes")
    assert names == 100
    assert longest < 40


class Scalar:
    """As numpy's, of which it has the one method that counts."""

    def __init__(self, value: object) -> None:
        self.value = value

    def item(self) -> object:
        return self.value


@pytest.mark.parametrize("is_locked", [False, True])
@pytest.mark.parametrize("library", ["numpy", "any"])
def test_scalars_of_other_libraries_are_taken_by_value(
    database: Path, invoke, query, library: str, is_locked: bool
) -> None:
    numpy: Any = pytest.importorskip("numpy") if library == "numpy" else None
    types: tuple[Any, ...] = (
        (numpy.bool_, numpy.int64, numpy.float64, numpy.str_, numpy.array) if numpy else (Scalar,) * 5
    )
    flag, whole, number, text, whole_array = types
    output_tokens: Any = Decimal(7)
    with ModelOutcomes(database) as outcomes, closing(sqlite3.connect(database, isolation_level=None)) as other:
        if is_locked:
            other.execute("begin immediate")
        assert outcomes.record(
            text("coding"), text("alpha"), flag(False), timeout=flag(True), tokens_used=whole(12),
            cost_usd=number(0.25), duration_ms=whole_array(7), input_tokens=number(5.0), output_tokens=output_tokens,
            event_id=text("e"), timestamp="2026-01-31T12:00:00Z",
        )  # fmt: skip
        if is_locked:
            other.execute("rollback")
    invoke("drain")
    assert query(
        "select task_type, model_id, success, timeout, tokens_used, cost_usd, duration_ms, input_tokens, output_tokens,"
        " event_id from model_outcomes"
    ) == [("coding", "alpha", 0, 1, 12, 0.25, 7, 5, 7, "e")]


def test_what_the_log_would_refuse_is_not_spooled(database: Path, waiting) -> None:
    with ModelOutcomes(database) as outcomes, locked(database):
        assert outcomes.record("coding", "a\0b", True) is False
        assert outcomes.record("coding", "a", True, tokens_used=1, input_tokens=2) is False
    assert waiting() == []


@pytest.mark.parametrize("mode", [0, 0o666])
def test_a_folder_without_permission_reaches_no_agent(database: Path, mode: int) -> None:
    before = database.parent.stat().st_mode
    database.parent.chmod(mode)
    try:
        with without_override(), ModelOutcomes(database) as outcomes:
            assert outcomes.ranked_models("coding") == []
            assert outcomes.ab_test_candidates("coding") == []
            assert not outcomes.should_demote("coding", "alpha")
            with ModelOutcomes(database, strict=True) as strict, pytest.raises(OutcomesError):
                strict.ranked_models("coding")
    finally:
        database.parent.chmod(before)


def test_a_drain_goes_on_past_a_spool_it_may_not_read(database: Path, invoke, query, tmp_path, monkeypatch) -> None:
    spool.append(database, from_values("second"))
    named = tmp_path / "named.jsonl"
    monkeypatch.setenv("OUTCOMES_SPOOL", str(named))
    spool.append(database, from_values("first"))
    named.chmod(0)
    with without_override():
        result = invoke("drain")
    assert (result.exit_code, result.stderr.count("\n"), str(named) in result.stderr) == (2, 1, True)
    assert query("select event_id from model_outcomes") == [("second",)]
    named.chmod(0o600)
    assert invoke("drain").exit_code == 0
    assert query("select count(*) from model_outcomes") == [(2,)]


def from_values(event_id: str) -> outcome.Outcome:
    values = {"task_type": "t", "model_id": "m", "success": True, "event_id": event_id}
    return validation.from_values({**dict.fromkeys(outcome.FIELDS), **values})


@pytest.mark.parametrize("end", [">/dev/full", ">&-", "| true", ">/dev/full 2>/dev/full"])
@pytest.mark.parametrize("is_locked", [False, True])
def test_what_cannot_be_printed_changes_no_exit_code(database: Path, invoke, query, end: str, is_locked: bool) -> None:
    command = " ".join(
        map(shlex.quote, [sys.executable, "-c", "from loader.cli import main; main()", "--db", str(database)])
    )
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        if is_locked:
            other.execute("begin immediate")
        for arguments in (" ".join(OUTCOME), "drain"):
            if is_locked and arguments == "drain":
                other.execute("rollback")
            script = f"set -o pipefail; {command} {arguments} {end}"
            assert subprocess.run(["bash", "-c", script], stderr=subprocess.DEVNULL, check=False).returncode == 0
    assert query("select count(*) from model_outcomes") == [(1,)]


def test_a_correction_waits_in_the_spool_with_its_outcome(invoke, query, database: Path, trouble, waiting) -> None:
    verdicts = (
        "select o.event_id, c.verdict from outcome_corrections as c join model_outcomes as o on o.id = outcome_id"
    )
    invoke(*OUTCOME, "--event-id", "logged")
    with ModelOutcomes(database) as outcomes:
        with trouble(database):
            assert outcomes.record("coding", "alpha", True, event_id="spooled")
            assert outcomes.correct("spooled", "void", reason="wrong task")
            result = invoke("correct", "logged", "--success")
            assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (0, "", 1)
            assert [line.get("verdict") for line in waiting()] == [None, "void", "success"]
        assert outcomes.correct("spooled", "failure"), "the log can be written again, but has no such outcome yet"
        result = invoke("drain")
        assert (result.exit_code, "1 accepted, 0 duplicates, 0 rejected, 3 corrected" in result.stdout) == (0, True)
        assert sorted(query(verdicts)) == [("logged", "success"), ("spooled", "failure"), ("spooled", "void")]
        assert outcomes.correct("spooled", "success")
    assert query(verdicts)[-1] == ("spooled", "success")


def test_a_correction_is_drained_before_its_outcome(invoke, query, database: Path) -> None:
    first, *_, last = paths.spools(database)
    for path, line in [
        (first, {"verdict": "failure", "event_id": "late"}),
        (last, {"task_type": "coding", "model_id": "alpha", "success": True, "timestamp": "2026-03-01T00:00:00Z",
                "event_id": "late"}),
    ]:  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(line, separators=(",", ":")) + "\n")
    invoke("init")
    result = invoke("drain")
    assert (result.exit_code, "1 accepted, 0 duplicates, 0 rejected, 1 corrected" in result.stdout) == (0, True)
    assert query("select previous_verdict, verdict from outcome_corrections") == [("success", "failure")]
    assert query("select count(*) from rejected_outcomes") == [(0,)]
    assert query("select sum(accepted_count), sum(rejected_count) from load_history") == [(2, 0)]


def test_corrections_of_a_removed_log_are_spooled(invoke, query, database: Path, waiting) -> None:
    with ModelOutcomes(database) as outcomes:
        assert outcomes.record("coding", "alpha", True, event_id="e1")
        assert outcomes.correct("e1", "void")
        database.unlink()
        outcomes._recorder._check_at = 0.0
        assert outcomes.record("coding", "alpha", True, event_id="e2")
    assert [(line["event_id"], line.get("verdict")) for line in waiting()] == [
        ("e1", None),
        ("e1", "void"),
        ("e2", None),
    ]

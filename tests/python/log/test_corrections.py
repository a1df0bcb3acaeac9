"""Corrections of verdicts by Python, the command line and files."""

import json
import logging
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from model_outcomes import InvalidOutcome, ModelOutcomes

CORRECTIONS = (
    "select outcome_id, previous_verdict, verdict, reason, corrected_by from outcome_corrections order by correction_id"
)


@pytest.fixture
def recorded(database: Path) -> Path:
    """Outcomes 1 (e1, a success), 2 (e2, a failure) and 3 (without an event_id, a success)."""
    with ModelOutcomes(database, strict=True) as outcomes:
        outcomes.record("coding", "alpha", True, event_id="e1")
        outcomes.record("coding", "alpha", False, event_id="e2")
    with closing(sqlite3.connect(database)) as log, log:
        log.execute(
            "insert into model_outcomes (task_type, model_id, success, timestamp)"
            " values ('coding', 'alpha', 1, '2026-03-01T00:00:00Z')"
        )
    return database


def lines(path: Path, *rows: dict[str, Any] | str) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


def test_python_corrects_a_verdict_and_a_retry_adds_nothing(recorded: Path, query) -> None:
    with ModelOutcomes(recorded, strict=True) as outcomes:
        for verdict in (False, "failure", "void", True):
            assert outcomes.correct("e1", verdict, reason="reverted", corrected_by="review")
    assert query(CORRECTIONS) == [
        (1, "success", "failure", "reverted", "review"),
        (1, "failure", "void", "reverted", "review"),
        (1, "void", "success", "reverted", "review"),
    ]
    assert query("select success from model_outcomes where event_id = 'e1'") == [(1,)]


@pytest.mark.parametrize(
    ("event_id", "verdict", "message"),
    [
        ("e9", "void", "no outcome has this event_id"),
        ("e1", "wrong", "verdict: expected success, failure or void"),
        ("", "void", "event_id"),
        ("half \udcff", "void", "event_id: is not Unicode text"),
    ],
)
def test_python_logs_or_raises_what_is_wrong(
    recorded: Path, query, caplog: pytest.LogCaptureFixture, event_id: str, verdict: str, message: str
) -> None:
    with ModelOutcomes(recorded) as outcomes, caplog.at_level(logging.ERROR, "model_outcomes"):
        assert not outcomes.correct(event_id, verdict)
    assert message in caplog.text
    with ModelOutcomes(recorded, strict=True) as outcomes, pytest.raises(InvalidOutcome, match=message):
        outcomes.correct(event_id, verdict)
    assert query(CORRECTIONS) == []


def test_the_command_prints_the_old_and_the_new_verdict(recorded: Path, query, invoke) -> None:
    for arguments, printed in [
        (("e2", "--success", "--reason", "the test was wrong"), "e2: failure -> success\n"),
        (("e2", "--success"), "e2: is success already\n"),
        (("--outcome-id", "3", "--void", "--corrected-by", "me"), "outcome 3: success -> void\n"),
    ]:
        result = invoke("correct", *arguments)
        assert (result.exit_code, result.stdout) == (0, printed)
    assert query(CORRECTIONS) == [
        (2, "failure", "success", "the test was wrong", None),
        (3, "success", "void", None, "me"),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("e9", "--void"), "no outcome has the event_id e9"),
        (("--outcome-id", "9", "--void"), "there is no outcome 9"),
        (("e1",), "give --success, --failure or --void"),
        (("--void",), "name one outcome"),
        (("e1", "--outcome-id", "1", "--void"), "name one outcome"),
    ],
)
def test_the_command_refuses_in_a_line(recorded: Path, query, invoke, arguments: tuple[str, ...], message: str) -> None:
    result = invoke("correct", *arguments)
    assert (result.exit_code, result.stderr.count("\n"), message in result.stderr) == (2, 1, True)
    assert query(CORRECTIONS) == []


def test_the_command_creates_no_log(database: Path, invoke) -> None:
    assert invoke("correct", "e1", "--void").exit_code == 2
    assert not database.exists()


MIXED = (
    {"verdict": "void", "event_id": "e2", "reason": "wrong task"},
    {"task_type": "coding", "model_id": "beta", "success": True, "timestamp": "2026-03-01T00:00:00Z", "event_id": "e4"},
    {"verdict": "failure", "event_id": "e4", "corrected_at": "2026-03-02T00:00:00+01:00", "corrected_by": "nightly"},
    {"verdict": "failure", "outcome_id": 3},
)
BAD = (
    {"verdict": "maybe", "event_id": "e1", "colour": "red"},
    {"verdict": "void", "event_id": "e9"},
    {"verdict": "void", "reason": "of nothing"},
)
CSV = ("outcome_id,event_id,verdict,reason", ",e2,void,wrong task", "3,,failure,", ",e1,success,")


def test_a_file_of_corrections_adds_nothing_twice(recorded: Path, query, invoke, tmp_path: Path) -> None:
    result = invoke("load", lines(tmp_path / "mixed.jsonl", *MIXED))
    assert "1 accepted, 0 duplicates, 0 rejected" in result.stdout
    assert result.stderr == "  3 corrected\n"
    expected = [
        (2, "failure", "void", "wrong task", None),
        (4, "success", "failure", None, "nightly"),
        (3, "success", "failure", None, None),
    ]
    assert query(CORRECTIONS) == expected
    assert query("select corrected_at from outcome_corrections where outcome_id = 4") == [
        ("2026-03-01T23:00:00.000000Z",)
    ]
    again = lines(tmp_path / "again.jsonl", *MIXED[::-1])
    assert "0 accepted, 4 duplicates, 0 rejected" in invoke("load", again).stdout
    assert "0 accepted, 3 duplicates, 0 rejected" in invoke("load", lines(tmp_path / "again.csv", *CSV)).stdout
    assert query(CORRECTIONS) == expected


def test_bad_corrections_are_rejects(recorded: Path, query, invoke, tmp_path: Path) -> None:
    result = invoke("load", lines(tmp_path / "bad.jsonl", *BAD))
    assert (result.exit_code, "0 accepted, 0 duplicates, 3 rejected" in result.stdout) == (3, True)
    assert [
        [fault.get("field", fault["problem"]) for fault in json.loads(reasons)]
        for (reasons,) in query("select reasons from rejected_outcomes order by line_number")
    ] == [
        ["colour", "verdict"],
        ["no outcome has this event_id"],
        ["names no outcome: give its event_id or its outcome_id"],
    ]
    result = invoke("load", lines(tmp_path / "bad.csv", "event_id,verdict,colour", "e1,void,red"))
    assert (result.exit_code, "colour, which no correction has" in result.stderr) == (2, True)
    assert query(CORRECTIONS) == []


def test_a_verdict_that_changed_at_the_source_is_counted_and_corrected_if_accepted(
    recorded: Path, query, invoke, tmp_path: Path
) -> None:
    """Outcome 1 changes and changes back. A person corrects outcome 2; that is no change of its source."""
    outcome = {"task_type": "coding", "model_id": "alpha", "timestamp": "2026-03-01T00:00:00Z"}
    source = [{**outcome, "event_id": "e1", "success": False}, {**outcome, "event_id": "e2", "success": False}]
    invoke("correct", "e2", "--success")
    changed = lines(tmp_path / "changed.jsonl", *source, {**outcome, "event_id": "new", "success": True})
    result = invoke("load", changed)
    assert (result.exit_code, "1 accepted, 1 duplicates, 0 rejected\n" in result.stdout) == (0, True)
    assert "1 verdicts changed at the source (--accept-changes corrects the outcomes)" in result.stderr
    assert query(CORRECTIONS)[1:] == []
    result = invoke("load", "--accept-changes", changed)
    assert "0 accepted, 0 duplicates, 0 rejected (the rest was loaded before)" in result.stdout
    assert result.stderr == "  1 corrected\n"
    by_load = (1, "success", "failure", "changed at the source", "loader load")
    assert query(CORRECTIONS)[1:] == [by_load]
    unchanged = lines(tmp_path / "unchanged.jsonl", *source[::-1])
    assert "0 accepted, 2 duplicates, 0 rejected\n" in invoke("load", "--accept-changes", unchanged).stdout
    back = lines(tmp_path / "back.jsonl", source[1], {**source[0], "success": True})
    assert "1 verdicts changed at the source" in invoke("load", back).stderr
    assert "1 corrected" in invoke("load", "--accept-changes", back).stderr
    assert query(CORRECTIONS)[2:] == [(1, "failure", "success", "changed at the source", "loader load")]
    other = lines(tmp_path / "other.jsonl", {**source[0], "success": True, "model_id": "beta"})
    assert invoke("load", "--accept-changes", other).exit_code == 3

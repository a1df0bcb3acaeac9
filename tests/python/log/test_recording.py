"""One outcome at a time, by the command line and from Python."""

import logging
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from model_outcomes import ModelOutcomes

COLUMNS = (
    "task_type, model_id, success, timeout, tokens_used, cost_usd, timestamp, event_id, task_id, experiment_id,"
    " recorded_by, duration_ms, input_tokens, output_tokens, error_type, cost_source, agent, effort, variant, attempt,"
    " score, propensity, cached_input_tokens, attributes"
)
EVERYTHING: dict[str, Any] = {
    "tokens_used": 13, "cost_usd": 0.25, "timestamp": "2026-01-31T13:00:00.5+01:00", "event_id": "e1", "task_id": "t1",
    "experiment_id": "x1", "recorded_by": "agent", "duration_ms": 1500, "input_tokens": 5, "output_tokens": 7,
    "error_type": "network", "cost_source": "local", "agent": "rig 1.2", "effort": "high", "variant": "prompt 7",
    "attempt": 2, "score": 0.5, "propensity": 0.125, "cached_input_tokens": 4,
}  # fmt: skip
ROW = (
    "coding", "alpha", 0, 1, 13, 0.25, "2026-01-31T12:00:00.500000Z", "e1", "t1", "x1",
    "agent", 1500, 5, 7, "network", "local", "rig 1.2", "high", "prompt 7", 2, 0.5, 0.125, 4,
    '{"customer":"a=b","team":"red"}',
)  # fmt: skip
OUTCOME = ("record", "--task-type", "coding", "--model-id", "alpha")


def test_every_column_lands_by_the_command_line(invoke, query, database: Path) -> None:
    options = [part for name, value in EVERYTHING.items() for part in (f"--{name.replace('_', '-')}", value)]
    attributes = ("--attribute", "team=red", "--attribute", "customer=a=b")
    result = invoke(*OUTCOME, "--failure", "--timeout", *options, *attributes)
    assert (result.exit_code, str(database) in result.stdout) == (0, True)
    assert query(f"select {COLUMNS} from model_outcomes") == [ROW]


def test_every_column_lands_from_python(query, database: Path) -> None:
    with ModelOutcomes(database) as outcomes:
        attributes = {"team": "red", "customer": "a=b"}
        assert outcomes.record("coding", "alpha", False, timeout=True, attributes=attributes, **EVERYTHING) is True
    assert query(f"select {COLUMNS} from model_outcomes") == [ROW]


def test_an_outcome_may_time_out_and_succeed(invoke, query, database: Path) -> None:
    assert invoke(*OUTCOME, "--success", "--timeout").exit_code == 0
    with ModelOutcomes(database, strict=True) as outcomes:
        outcomes.record("coding", "alpha", True, timeout=True)
    assert query("select success, timeout from model_outcomes") == [(1, 1)] * 2


def test_the_plainest_call_records_now(query, database: Path) -> None:
    before = datetime.now(timezone.utc)
    with ModelOutcomes(database) as outcomes:
        outcomes.record("coding", "alpha", True)
    after = datetime.now(timezone.utc)
    ((timestamp, *rest),) = query(
        "select timestamp, success, timeout, tokens_used, cost_usd, cost_source from model_outcomes"
    )
    assert rest == [1, 0, 0, 0.0, None]
    assert timestamp.endswith("Z")
    assert before <= datetime.fromisoformat(timestamp.replace("Z", "+00:00")) <= after


def test_a_moment_may_be_a_datetime_of_any_zone(query, database: Path) -> None:
    with ModelOutcomes(database) as outcomes:
        outcomes.record("t", "m", True, timestamp=datetime(2026, 1, 31, 7, tzinfo=timezone(timedelta(hours=-5))))
    assert query("select timestamp from model_outcomes") == [("2026-01-31T12:00:00.000000Z",)]


def test_a_retry_is_one_outcome(query, database: Path) -> None:
    with ModelOutcomes(database) as outcomes:
        for _ in range(2):
            assert outcomes.record("coding", "alpha", True, event_id="e1") is True
        assert outcomes.record("coding", "alpha", False, event_id="e1") is False
    with ModelOutcomes(database, strict=True) as outcomes, pytest.raises(ValueError, match="recorded before"):
        outcomes.record("coding", "alpha", False, event_id="e1")
    assert query("select event_id, success from model_outcomes") == [("e1", 1)]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"task_type": ""}, "task_type"),
        ({"task_type": "  "}, "task_type: is blank"),
        ({"model_id": "a\0b"}, "model_id: holds a NUL character"),
        ({"model_id": "half \ud800"}, "model_id: is not Unicode text"),
        ({"success": None}, "success: is null"),
        ({"success": "yes"}, "success: expected true or false"),
        ({"input_tokens": 3, "cached_input_tokens": 4}, "cached_input_tokens: is above input_tokens"),
        ({"attempt": 0}, "attempt: expected int >= 1"),
        ({"score": 1.01}, "score: expected float <= 1"),
        ({"propensity": 0}, "propensity: expected float > 0"),
        ({"attributes": {"note": "x" * 4096}}, "attributes: is longer than 4,096 bytes"),
        ({"attributes": {"note": "half \ud800"}}, "attributes: is not Unicode text"),
        ({"attributes": ["red"]}, "attributes: expected"),
        ({"tokens_used": -1}, "tokens_used: expected int >= 0"),
        ({"tokens_used": 2**70}, "tokens_used: expected int <= 1000000000000"),
        ({"tokens_used": 5, "input_tokens": 3, "output_tokens": 3}, "tokens_used: is below input_tokens"),
        ({"cost_usd": float("nan")}, "cost_usd"),
        ({"cost_usd": float("inf")}, "cost_usd"),
        ({"timestamp": "2026-01-31T12:00:00"}, "timestamp: needs a Z or an offset"),
        ({"timestamp": datetime(2026, 1, 31)}, "timestamp: needs a Z or an offset"),
        ({"timestamp": "2999-01-01T00:00:00Z"}, "timestamp: more than a day ahead"),
        ({"cost_source": "guess"}, "cost_source"),
    ],
    ids=ascii,
)  # fmt: skip
@pytest.mark.usefixtures("made")
def test_python_is_told_what_is_wrong(query, database: Path, caplog, fields: dict[str, Any], said: str) -> None:
    given = {"task_type": "coding", "model_id": "alpha", "success": True, **fields}
    with ModelOutcomes(database, strict=True) as outcomes, pytest.raises(ValueError, match=said.split(":")[0]) as fault:
        outcomes.record(**given)
    assert said in str(fault.value)
    with ModelOutcomes(database) as outcomes:
        assert outcomes.record(**given) is False
    ((logger, level, message),) = caplog.record_tuples
    assert (logger, level, said in message) == ("model_outcomes", logging.ERROR, True)
    assert query("select count(*) from model_outcomes") == [(0,)]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--success", "--tokens-used", "-1"], "tokens_used"),
        (["--success", "--tokens-used", str(10**30)], "tokens_used"),
        (["--success", "--event-id", "None"], "event_id: names no event"),
        (["--success", "--event-id", "1.23E+18"], "event_id: names no event"),
        (["--success", "--attribute", "red"], "expected NAME=VALUE"),
        (["--success", "--timestamp", "2026-01-31T12:00:00"], "needs a Z or an offset"),
        (["--success", "--timestamp", "2026-02-31T12:00:00Z"], "expected a time"),
        (["--success", "--timestamp", "2999-01-01T00:00:00Z"], "more than a day ahead"),
        (["--success", "--cost-usd", "nan"], "cost_usd"),
        (["--success", "--cost-usd", "1e400"], "cost_usd"),
        (["--success", "--event-id", ""], "event_id"),
        (["--success", "--model-id", "half \udcff"], "model_id: is not Unicode text"),
    ],
    ids=ascii,
)
@pytest.mark.usefixtures("made")
def test_the_command_line_says_what_is_wrong_in_a_line(invoke, query, options: list[str], said: str) -> None:
    result = invoke(*OUTCOME, *options)
    assert (result.exit_code, result.stderr.strip().count("\n")) == (2, 0)
    assert said in result.stderr
    assert query("select count(*) from model_outcomes") == [(0,)]


@pytest.mark.parametrize(
    "arguments", [["--success", "--tokens-used", "many"], ["--success", "--cost-source", "guess"], ["--sucess"]]
)
def test_a_call_that_is_none_shows_the_usage(invoke, database: Path, arguments: list[str]) -> None:
    result = invoke(*OUTCOME, *arguments)
    assert (result.exit_code, "Usage:" in result.stderr, database.exists()) == (2, True, False)


def test_without_a_verdict_nothing_is_made(invoke, database: Path) -> None:
    result = invoke(*OUTCOME)
    assert (result.exit_code, result.stderr) == (2, "Error: the verdict is missing: give --success or --failure\n")
    assert not database.exists()

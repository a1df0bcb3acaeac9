"""Colour on a terminal alone, and whatever the output's encoding, no traceback."""

import json
import os
import pty
import subprocess
import sys

import pytest

SCRIPT = """
import sys
from model_outcomes.answers import terminal
answer = [{"task_type": "edit_code", "model_id": "modèle-日本", "trials": 9, "success_rate": 0.5,
           "success_rate_lower": 0.2, "success_rate_upper": 0.8, "total_cost": 1.0, "last_used": "2026-01-31"}]
print(terminal.shown(answer, terminal.STATS, sys.argv[1] if sys.argv[1:] else None))
"""


def environment(**settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM", "COLUMNS")}
    return {**kept, "TERM": "xterm-256color", **settings}


def on_a_terminal(**settings: str) -> str:
    ours, theirs = pty.openpty()
    try:
        subprocess.run([sys.executable, "-c", SCRIPT], stdout=theirs, env=environment(**settings), check=True)
        return os.read(ours, 10_000).decode()
    finally:
        os.close(theirs)
        os.close(ours)


def piped(*arguments: str, **settings: str) -> bytes:
    command = [sys.executable, "-c", SCRIPT, *arguments]
    return subprocess.run(command, capture_output=True, env=environment(**settings), check=True).stdout


def test_there_is_colour_on_a_terminal() -> None:
    assert "\x1b[36m" in on_a_terminal()


@pytest.mark.parametrize("settings", [{"NO_COLOR": "1"}, {"TERM": "dumb"}], ids=str)
def test_there_is_none_where_it_is_not_wanted(settings: dict[str, str]) -> None:
    said = on_a_terminal(**settings)
    assert "edit_code" in said
    assert "\x1b" not in said


def test_there_is_none_in_a_pipe() -> None:
    said = piped()
    assert "●".encode() in said
    assert b"\x1b" not in said


def test_a_wide_terminal_is_used_and_a_pipe_is_80_wide() -> None:
    assert len(piped().decode().splitlines()[1]) <= 80
    assert "last used" not in piped(COLUMNS="70").decode()
    assert "last used" in piped(COLUMNS="120").decode()


def test_an_output_that_knows_ascii_alone_gets_a_table_and_json_that_means_the_same() -> None:
    table = piped(PYTHONIOENCODING="ascii").decode("ascii")
    assert "mod\\xe8le-\\u65e5\\u672c" in table
    assert "|----" in table
    (row,) = json.loads(piped("json", PYTHONIOENCODING="ascii"))
    assert row["model_id"] == "modèle-日本"
    assert b"mod\\xe8le" in piped("csv", PYTHONIOENCODING="ascii")

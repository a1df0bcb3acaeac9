"""Files with fields of their own: the options that map them, the table of outcomes.toml, and --explain."""

import csv
import json
import random
import shlex
from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

pytestmark = pytest.mark.usefixtures("made")

HEADER = [
    "started_at",
    "agent",
    "model",
    "task",
    "status",
    "input_tokens",
    "output_tokens",
    "cost",
    "latency_s",
    "error",
]


def test_the_command_that_explain_prints_loads_a_table(invoke, query, tmp_path: Path) -> None:
    dice = random.Random(5)
    rows: list[list[Any]] = []
    for number in range(2_000):
        status = dice.choice(["completed"] * 5 + ["failed"] * 3 + ["timeout"])
        start = datetime(2026, 3, 1) + timedelta(minutes=number)
        rows.append([
            start.isoformat(" "), "rook", dice.choice(["wren", "finch"]), "tidy", status, f"{number + 1000:,}", 5,
            f"${number / 1000:.3f}", f"{number / 8}", "" if status == "completed" else "crash",
        ])  # fmt: skip
    file = tmp_path / "my runs.csv"
    with file.open("w", newline="") as table:
        csv.writer(table, delimiter=";").writerows([HEADER, *rows])
    explained = invoke("load", "--explain", file)
    counts = Counter(row[4] for row in rows)
    values = ", ".join(f"{status} ({count:,})" for status, count in counts.most_common())
    assert (explained.exit_code, f"  status: {values}\n" in explained.stdout) == (0, True)
    assert "2,000 of the first 2,000 rows are outcomes" in explained.stdout
    command = shlex.split(explained.stdout.splitlines()[-1])
    assert command[:2] == ["loader", "load"]
    assert "2,000 accepted, 0 duplicates, 0 rejected" in invoke(*command[1:]).stdout
    assert "0 accepted, 0 duplicates, 0 rejected" in invoke(*command[1:]).stdout
    columns = "timestamp, agent, model_id, task_type, success, timeout, input_tokens, output_tokens, cost_usd"
    assert query(f"select {columns}, duration_ms, error_type from model_outcomes order by id") == [
        (
            f"{start.replace(' ', 'T')}.000000Z", agent, model, task, status == "completed", status == "timeout",
            number + 1000, 5, number / 1000, number * 125, error or None,
        )
        for number, (start, agent, model, task, status, *_, error) in enumerate(rows)
    ]  # fmt: skip


RECORD = {
    "run": {"llm": "wren", "at": "2026-07-01 08:00"}, "usage": {"prompt": "1,200", "cached": 3}, "state": "Late",
    "ms": 7, "cents": 25, "note": "x",
}  # fmt: skip
OPTIONS = [
    "--map", "model_id=run.llm,timestamp=run.at,input_tokens=usage.prompt", "--map", "duration_ms=ms,cost_usd=cents",
    "--success", "state=done,late", "--timeout", "state=late", "--zone", "Europe/Berlin", "--unit",
    "duration=seconds,cost=cents", "--task-type", "tidy",
]  # fmt: skip
MAPPED = [
    ("tidy", "wren", 1, 1, "2026-07-01T06:00:00.000000Z", 1200, 7000, 0.25,
     '{"note":"x","state":"Late","usage":{"cached":3}}'),
]  # fmt: skip
COLUMNS = "task_type, model_id, success, timeout, timestamp, input_tokens, duration_ms, cost_usd, attributes"


def test_json_with_paths_is_mapped_by_options_or_by_a_table(invoke, query, tmp_path: Path, monkeypatch) -> None:
    file = tmp_path / "own.json"
    file.write_text(json.dumps(RECORD, indent=1))
    (tmp_path / "outcomes.toml").write_text("""
        [load.nightly]
        map = {model_id = "run.llm", timestamp = "run.at", input_tokens = "usage.prompt", duration_ms = "ms"}
        success = "state=done,late"
        timeout = "state=late"
        zone = "Europe/Berlin"
        unit = {duration = "seconds", cost = "cents"}
        columns = {task_type = "mend"}
    """)
    assert "holds no outcomes" in invoke("load", file).stderr
    assert invoke("load", *OPTIONS, file).exit_code == 0
    monkeypatch.setenv("OUTCOMES_CONFIG", str(tmp_path / "outcomes.toml"))
    monkeypatch.delenv("OUTCOMES_LOAD", raising=False)
    invoke("load", "--distinct", "--with", "nightly", "--map", "cost_usd=cents", "--task-type", "tidy", file)
    assert query(f"select {COLUMNS} from model_outcomes") == MAPPED
    file.write_text(json.dumps({**RECORD, "ms": 8}))
    loaded = invoke("load", "--with", "nightly", "--map", "cost_usd=cents", "--task-type", "tidy", file)
    assert loaded.exit_code == 0
    assert query(f"select {COLUMNS} from model_outcomes")[1:] == [(*MAPPED[0][:6], 8000, *MAPPED[0][7:])]
    assert "no table [load.nightl]" in invoke("load", "--with", "nightl", file).stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--map", "modle_id=a"], "modle_id is no field of an outcome; model_id is one"),
        (["--map", "model_id"], "expected NAME=VALUE"),
        (["--success", "status"], "is no COLUMN=VALUE"),
        (["--zone", "Berlin"], "there is no time zone"),
        (["--zone", "../etc"], "there is no time zone"),
        (["--unit", "duration=hours"], "is not known: one of nanoseconds"),
        (["--map", "model_id=engine,task_id=job"], "has no column engine, job: it has"),
    ],
)
def test_a_wrong_map_is_one_line(invoke, query, tmp_path: Path, options: list[str], words: str) -> None:
    (tmp_path / "own.csv").write_text("task_type,model_id,success,timestamp\na,b,1,2026-03-01T08:00:00Z\n")
    result = invoke("load", *options, tmp_path / "own.csv")
    assert (result.exit_code, words in result.stderr) == (2, True), result.output
    assert query("select count(*) from load_history") == [(0,)]


def test_explain_names_all_that_is_missing_at_once(invoke, tmp_path: Path) -> None:
    (tmp_path / "own.csv").write_text("task,grade_of_it,who\nt,A,x\nt,B,x\nt,A,y\n")
    result = invoke("load", "--explain", tmp_path / "own.csv")
    assert result.exit_code == 2
    assert [line.partition(":")[0] for line in result.stdout.splitlines() if "missing" in line] == ["missing"] * 3
    assert "  grade_of_it: A (2), B (1)\n" in result.stdout


UTC = ZoneInfo("UTC")


@pytest.mark.parametrize(
    ("field", "value", "column", "expected"),
    [
        *[("success", word, "success", 1) for word in ("YES", "pass", "Passed", "resolved", "completed", "1.0", 1.0)],
        *[("success", word, "success", 0) for word in ("no", "FAIL", "failed", "unresolved", "False", "0", 0.0)],
        *[("success", word, "success", None) for word in ("maybe", "2", 0.7, "ok-ish", "✓", [1])],
        *[
            ("timestamp", text, "timestamp", "2026-05-01T10:00:00.000000Z")
            for text in (
                "2026-05-01 10:00:00+00",
                "2026-05-01 12:00:00+0200",
                "2026-05-01T10:00:00 +00:00",
                1777629600,
                "2026-05-01 10:00:00 UTC",
                "2026-05-01t10:00:00z",
                "1777629600",
                1777629600000,
                "2026-05-01 04:30-0530",
            )
        ],
        ("timestamp", 1777629600.25, "timestamp", "2026-05-01T10:00:00.250000Z"),
        *[
            ("timestamp", value, "timestamp", None)
            for value in ("2026-05-01 10:00", 17776296, 1e17, "05/01/2026", True)
        ],
        ("duration_ms", 1234.5, "duration_ms", 1234),
        ("duration_ms", "99.7", "duration_ms", 100),
        ("tokens_used", "1,200", "tokens_used", 1200),
        ("tokens_used", "1200", "tokens_used", 1200),
        ("tokens_used", "1200.5", "tokens_used", None),
        ("tokens_used", "12,00", "tokens_used", None),
        ("cost_usd", "$0.12", "cost_usd", 0.12),
        ("cost_usd", "0.12 USD", "cost_usd", 0.12),
        ("cost_usd", "$1,234", "cost_usd", 1234.0),
        ("cost_usd", "1,234.50", "cost_usd", 1234.5),
        ("cost_usd", "0,19", "cost_usd", 0.19),
        *[("cost_usd", text, "cost_usd", None) for text in ("1,234", "€0.12", "nan", "inf", "-1", "free", "1_0")],
    ],
)
def test_spellings_that_cannot_be_mistaken(
    invoke, query, line, field: str, value: Any, column: str, expected: Any
) -> None:
    result = invoke("load", "-", input=line(**{field: value}))
    assert query(f"select {column} from model_outcomes") == ([] if expected is None else [(expected,)])
    assert result.exit_code == (3 if expected is None else 0)
    assert "Traceback" not in result.output

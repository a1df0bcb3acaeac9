"""Mutated lines through the whole loader: each ends as a row, a duplicate or a reject, and nothing as a traceback.

Lines are mutated from real shapes with a seed, so that a failure comes again. `make test-all` runs
100,000 of them.
"""

import gzip
import json
import random
from contextlib import closing
from pathlib import Path

import pytest

from model_outcomes.base.errors import OutcomesError
from model_outcomes.intake import loads
from model_outcomes.intake.batches import REJECTS_KEPT
from model_outcomes.intake.writer import LoadResult
from model_outcomes.log import store

FIELDS = {
    "task_type": "edit_code", "model_id": "aurora-large", "success": False, "timeout": True, "tokens_used": 20300,
    "cost_usd": 0.0861, "timestamp": "2026-01-31T12:00:00.5+01:00", "event_id": "run-42/attempt-1", "task_id": "T-4711",
    "experiment_id": "x", "recorded_by": "agent", "duration_ms": 1500, "input_tokens": 18200, "output_tokens": 2100,
    "error_type": "network", "cost_source": "provider",
}  # fmt: skip
LINES = [
    json.dumps(FIELDS).encode(),
    b'{"task_type":"t","model_id":"m","success":true,"timestamp":"2026-01-31T12:00:00Z"}',
    b'{"taskType":"t","modelId":"m","success":1,"timestamp":"2026-01-31 12:00Z","costUsd":null,"note":"\\u00fc"}',
    json.dumps({**FIELDS, "model_id": "模型/μοντέλο", "cost_usd": 1e-9}, ensure_ascii=False).encode(),
]
CSV_HEADER = b",".join(name.encode() for name in FIELDS)
CSV_LINES = [
    b"edit_code,aurora,0,1,20300,0.0861,2026-01-31T12:00:00Z,e-1,T-1,x,agent,1500,18200,2100,network,provider",
    b'"edit, ""code""",m,true,,,,2026-01-31T12:00:00+02:00,,,,,,,,,',
]
BITS = [
    b"", b"\0", b"\n", b"\r", b'"', b"\\", b"{", b"}", b"[", b",", b":", b"null", b"true", b"-1", b"1e400", b"NaN",
    b"\xff", b"\xed\xa0\x80", b"\\ud800", b"9" * 30, b"2999-01-01T00:00:00Z", b"'", b" ", b"\t",
    b"\xef\xbb\xbf", b"0.1", b"x" * 600, b'"event_id":"e",', b'{"task_type":"t"}',
    "é".encode(), b"\xe2\x80\xa8", b"\x1f\x8b",
]  # fmt: skip


def mutated(line: bytes, dice: random.Random) -> bytes:
    for _ in range(dice.choice((0, 1, 1, 2, 5))):
        at, length = dice.randrange(len(line) + 1), dice.choice((0, 1, 1, 3, 20))
        middle = dice.choice(
            (dice.choice(BITS), bytes([dice.randrange(256)]), line[dice.randrange(len(line) + 1) :][:9])
        )
        line = line[:at] + middle + line[at + length :]
    return line


def load(database: Path, file: Path, format: str) -> LoadResult:
    with closing(store.create_or_open(database, durability="normal")) as connection:
        result = loads.load_file(connection, str(file), format=format, is_final=True)
        accepted = connection.execute("select count(*) from model_outcomes").fetchone()
        counted = connection.execute(
            "select accepted_count, duplicate_count, rejected_count from load_history"
        ).fetchall()
        kept = connection.execute("select reasons from rejected_outcomes order by rejected_id").fetchall()
    assert accepted == (result.accepted,)
    assert counted == [(result.accepted, result.duplicates, result.rejected)]
    more = result.rejected - REJECTS_KEPT
    others = [fault["lines"] for (reasons,) in kept for fault in json.loads(reasons) if "lines" in fault]
    assert others == ([more] if more > 0 else [])
    assert len(kept) - len(others) == min(result.rejected, REJECTS_KEPT)
    return result


@pytest.mark.parametrize("count", [5_000, pytest.param(100_000, marks=pytest.mark.slow)])
def test_mutated_json_lines(database: Path, tmp_path: Path, count: int) -> None:
    dice = random.Random(20260131)
    lines = b"\n".join(mutated(dice.choice(LINES), dice) for _ in range(count))
    (tmp_path / "log").write_bytes(lines)
    result = load(database, tmp_path / "log", "jsonl")
    # What splits lines splits them everywhere; blank ones are no lines.
    expected = sum(1 for line in lines.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip())
    assert result.accepted + result.duplicates + result.rejected == expected
    assert min(result.accepted, result.duplicates, result.rejected) > count // 100


def test_mutated_csv(database: Path, tmp_path: Path) -> None:
    dice = random.Random(20260201)
    # A quote that opens takes the lines that follow into its record, and a NUL at the beginning is no CSV.
    lines = [mutated(dice.choice(CSV_LINES), dice) for _ in range(5_000)]
    lines = [line for line in lines if line.count(b'"') % 2 == 0 and line.strip() and not set(b"\n\r\0") & set(line)]
    (tmp_path / "log").write_bytes(b"\n".join([CSV_HEADER, *lines]))
    result = load(database, tmp_path / "log", "csv")
    assert result.accepted + result.duplicates + result.rejected == len(lines)
    assert min(result.accepted, result.rejected) > 100


@pytest.mark.parametrize("seed", range(60))
def test_mutated_files_of_any_kind(invoke, database: Path, tmp_path: Path, seed: int) -> None:
    """Whole files: a .gz cut, an array with a byte gone, a legacy file: an exit code and a line, never a traceback."""
    dice = random.Random(seed)
    array = b"[" + b",".join(LINES) + b"]"
    cells = (
        b'{"coding": {"alpha": {"successes": 42, "failures": 3, "totalCost": 0.5, "lastUsed": "2026-01-31T12:00:00Z"}}}'
    )
    kinds = [gzip.compress(b"\n".join(LINES), mtime=0), array, b"\n".join([CSV_HEADER, *CSV_LINES]), cells]
    content = mutated(dice.choice(kinds), dice)
    (tmp_path / "file").write_bytes(content)
    for command in ("load", "import-legacy"):
        result = invoke(command, tmp_path / "file")
        assert result.exit_code in (0, 2, 3)
        assert result.exit_code == 0 or result.stderr


def test_a_file_that_is_no_file_raises_only_what_is_said(database: Path, tmp_path: Path) -> None:
    with closing(store.create_or_open(database)) as connection, pytest.raises(OutcomesError):
        loads.load_file(connection, str(tmp_path / "none"))

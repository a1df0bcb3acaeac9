"""Files that nobody would write on purpose: each is one line and an exit code, and takes little memory and room."""

import json
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from model_outcomes.base import paths
from model_outcomes.intake import loads
from model_outcomes.intake.sources import Source
from model_outcomes.intake.writer import Position
from model_outcomes.log import store

pytestmark = pytest.mark.usefixtures("made")

HEADER = b"task_type,model_id,success,timestamp\n"
RECORD = b"coding,alpha,true,2026-01-31T12:00:00Z\n"


def written(path: Path, content: bytes) -> None:
    """Write to a pipe, for which somebody reads at the other end."""

    def write() -> None:
        with suppress(BrokenPipeError):  # the reader has seen enough
            path.write_bytes(content)

    threading.Thread(target=write, daemon=True).start()


@pytest.fixture
def pipe(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    yield path
    # A writer that still waits, because nobody read, ends here.
    os.close(os.open(path, os.O_RDONLY | os.O_NONBLOCK))


@pytest.mark.parametrize("content", [HEADER + RECORD * 3, b"[" + b"0, " * 2 + b"0]"], ids=["csv", "array"])
def test_a_fifo_is_read_to_its_end(invoke, query, pipe: Path, content: bytes) -> None:
    written(pipe, content)
    assert invoke("load", "--max-rejects", 3, pipe).exit_code == 0
    assert query("select count(*) from model_outcomes union all select count(*) from rejected_outcomes") in (
        [(3,), (0,)],
        [(0,), (3,)],
    )


@pytest.mark.parametrize("name", ["/dev/stdin", "/dev/fd/0", "-"])
def test_a_pipe_by_its_name_is_standard_input(database: Path, query, name: str) -> None:
    command = [sys.executable, "-c", "from loader.cli import main; main()", "--db", str(database), "load", name]
    done = subprocess.run(command, input=HEADER + RECORD * 3, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert query("select count(*) from model_outcomes") == [(3,)]


@pytest.mark.parametrize("command", ["load", "import-legacy", "import-federated", "sync-uok"])
@pytest.mark.parametrize("name", ["/dev/zero", "/", "not utf-8", "x" * 300, "nested", "pipe"])
def test_an_input_that_cannot_be_read_is_one_line(invoke, tmp_path: Path, pipe: Path, command: str, name: str) -> None:
    path = {"not utf-8": tmp_path / os.fsdecode(b"caf\xe9.json"), "nested": tmp_path / "nested.json"}.get(
        name, tmp_path / name
    )
    if name in ("not utf-8", "nested"):
        path.write_text('{"a": ' + "[" * 100_000)
    if name == "pipe":
        written(path, b"\0\1\2")
    result = invoke(command, path)
    # `load` lets a line wait that has no end yet: it is none of its faults.
    if (command, name) == ("load", "nested"):
        assert (result.exit_code, "waits" in result.stderr) == (0, True)
        return
    assert result.exit_code == 2
    fault, *more = result.stderr.splitlines()
    assert "Error: " in fault
    assert all(line.startswith("  line 1: ") or "holds no export" in line for line in more)
    if name == "not utf-8":
        assert "caf\\xe9.json: the name is not UTF-8" in fault


@pytest.mark.parametrize("command", [["run"], ["run", "--dry-run"], ["build"]])
def test_a_database_that_dbt_cannot_open_is_one_line(start_loader, tmp_path: Path, command: list[str]) -> None:
    path = tmp_path / os.fsdecode(b"caf\xe9.db")
    process = start_loader("--db", path, *command)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 2
    (fault,) = err.splitlines()
    assert "caf\\xe9.db: the name is not UTF-8" in fault
    if command == ["run"]:
        assert json.loads(out)["database"].endswith("caf\\xe9.db")


@pytest.mark.parametrize("depth", [*range(900, 1001, 10), 100_000])
def test_a_nested_value_is_refused_at_any_depth(invoke, query, line, depth: int) -> None:
    nested = "[" * depth + "]" * depth
    bad = line(model_id="X").replace(b'"X"', nested.encode()) + f'{{"x": {nested}}}\n{nested}\n'.encode()
    result = invoke("load", "-", input=bad + line())
    assert (result.exit_code, "1 accepted, 0 duplicates, 3 rejected" in result.stdout) == (3, True)


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59-23:00", "0001-01-01T00:00:00+23:00"])
def test_a_legacy_time_outside_the_calendar_is_a_fault_of_its_cell(invoke, query, tmp_path: Path, moment: str) -> None:
    good = {"successes": 2, "failures": 1}
    (tmp_path / "old.json").write_text(json.dumps({"t": {"bad": {**good, "lastUsed": moment}, "good": good}}))
    result = invoke("import-legacy", tmp_path / "old.json")
    assert (result.exit_code, "t.bad: lastUsed" in result.stderr) == (3, True)
    assert query("select model_id, successes from legacy_model_stats") == [("good", 2)]


def test_a_legacy_cell_that_is_nested_or_no_text_is_a_fault_of_its_own(invoke, query, tmp_path: Path) -> None:
    nested = "[" * 500 + "]" * 500
    (tmp_path / "old.json").write_text(
        f'{{"t": {{"\\ud800": {{}}, "m": {{"successes": {nested}, "failures": 0}},'
        ' "good": {"successes": 1, "failures": 0}}}'
    )
    assert invoke("import-legacy", tmp_path / "old.json").exit_code == 3
    assert query("select model_id from legacy_model_stats") == [("good",)]


# Lines of one byte, which a look at each would not tell apart, and lines that fill several batches.
MANY = [
    ("jsonl", b'{"model_id": 0}\n' + b"0\n" * 2_499, 2_500),
    ("jsonl", b'{"task_type": "' + b"x" * 1_500 + b'"}\n', 2_500),
    ("json", b"[" + b"0, " * 2_499 + b'{"model_id": 0}]', 2_500),
    ("csv", b"coding,alpha,perhaps," + b"x" * 1_500 + b"\n", 2_500),
]


@pytest.mark.parametrize(("format", "lines", "count"), MANY, ids=["short", "long", "array", "csv"])
def test_of_many_refused_lines_a_thousand_are_kept_and_all_are_counted(
    invoke, query, format: str, lines: bytes, count: int
) -> None:
    content = lines * (count if lines.count(b"\n") == 1 else 1)
    if format == "csv":
        content = HEADER + content + RECORD
    result = invoke("load", "--format", format, "-", input=content)
    assert (result.exit_code, f" {count:,} rejected" in result.stdout) == (3, True)
    assert query("select rejected_count from load_history") == [(count,)]
    assert query("select count(*) from rejected_outcomes where raw_text <> ''") == [(1_000,)]
    ((reasons,),) = query("select reasons from rejected_outcomes where raw_text = ''")
    assert json.loads(reasons) == [
        {"problem": "more lines of this file were rejected, and are not kept", "lines": count - 1_000}
    ]
    counts = [int(each.partition(" x ")[0].replace(",", "")) for each in result.stderr.splitlines() if " x " in each]
    assert sum(counts) >= count
    assert query("select count(*) from model_outcomes") == [(int(format == "csv"),)]


def test_what_the_log_itself_refuses_counts_with_the_others(invoke, query, line) -> None:
    lines = line(event_id="e") + line(event_id="e", model_id="beta") * 1_200 + b"0\n" * 100
    assert invoke("load", "-", input=lines).exit_code == 3
    assert query("select accepted_count, duplicate_count, rejected_count from load_history") == [(1, 0, 1_300)]
    assert query("select count(*) from rejected_outcomes") == [(1_001,)]


def test_a_spool_keeps_every_line_since_it_is_removed(database: Path, query, invoke) -> None:
    paths.spool(database).write_bytes(b'{"no": "outcome"}\n' * 1_200)
    assert invoke("drain").exit_code == 3
    assert query("select count(*) from rejected_outcomes where raw_text <> ''") == [(1_200,)]


def test_a_hundred_thousand_unknown_columns_are_a_short_message(invoke, query) -> None:
    columns = b"".join(b",col%d" % number for number in range(100_000))
    content = HEADER.strip() + columns + b"\n" + RECORD.strip() + b"," * 100_000 + b"\n"
    result = invoke("load", "--format", "csv", "-", input=content)
    assert (result.exit_code, query("select count(*) from model_outcomes")) == (0, [(1,)])
    (message,) = result.stderr.splitlines()
    assert len(message) < 1_000
    assert message.count(" col") == 20
    assert "and 99,980 more under other names" in message


def test_a_field_of_another_name_in_each_line_is_counted(invoke, query, line) -> None:
    result = invoke("load", "-", input=b"".join(line(**{f"field{number}": 1}) for number in range(500)))
    assert (result.exit_code, "and 480 more under other names" in result.stderr) == (0, True)
    assert result.stderr.count("field") == 20


def test_a_refused_line_names_twenty_of_its_unknown_fields(invoke, query, line) -> None:
    bad = line(**{f"{'n' * 100_000 if number else 'modelid'}{number}": 1 for number in range(9)}, **dict.fromkeys(
        (f"field{number}" for number in range(300)), 1))  # fmt: skip
    assert invoke("load", "--extra", "reject", "-", input=bad).exit_code == 3
    ((reasons,),) = query("select reasons from rejected_outcomes")
    assert len(reasons) < 5_000
    assert len(json.loads(reasons)) == 21
    assert json.loads(reasons)[-1] == {"problem": "289 more fields are not known"}


def test_an_array_of_any_size_is_loaded(invoke, query, line, tmp_path: Path) -> None:
    with (tmp_path / "log.json").open("wb") as file:
        file.write(b"[" + line())
        for _ in range(101):
            file.write(b" " * 1_000_000)
        file.write(b"," + line() + b"]")
    assert invoke("load", tmp_path / "log.json").exit_code == 0
    assert query("select count(*) from model_outcomes") == [(2,)]


def test_an_element_over_a_line_s_limit_is_refused_alone(invoke, query, line) -> None:
    long = b'{"task_type": "' + b"x" * 1_000_000 + b'"}'
    assert invoke("load", "-", input=b"[" + line() + b"," + long + b"," + line() + b"]").exit_code == 3
    assert query("select line_number from rejected_outcomes") == [(2,)]
    assert query("select count(*) from model_outcomes") == [(2,)]


def test_a_fault_nobody_thought_of_names_the_file(
    invoke, query, line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("bad", "good"):
        (tmp_path / f"{name}.jsonl").write_bytes(line(model_id=name))
    find = loads.find_position

    def fail(connection: sqlite3.Connection, source: Source) -> Position:
        if "bad" in source.name:
            raise OverflowError("too much")
        return find(connection, source)

    monkeypatch.setattr(loads, "find_position", fail)
    result = invoke("load", tmp_path / "bad.jsonl", tmp_path / "good.jsonl")
    assert result.exit_code == 2
    (fault,) = result.stderr.splitlines()
    assert f"{tmp_path}/bad.jsonl cannot be read: OverflowError: too much (at test_hostile_files.py:" in fault
    assert query("select model_id from model_outcomes") == [("good",)]


@pytest.mark.parametrize("name", ["log.jsonl", "log.csv"])
def test_the_work_for_a_file_does_not_grow_with_the_files_before_it(
    invoke, database: Path, tmp_path: Path, line, name: str
) -> None:
    def steps(number: int) -> int:
        """What SQLite has to do for one more file, in steps of its virtual machine."""
        count = 0

        def counted() -> int:
            nonlocal count
            count += 1
            return 0

        path = tmp_path / f"{number}{name}"
        path.write_bytes(HEADER + RECORD * 3 + b"#%d\n" % number if name.endswith("csv") else line(duration_ms=number))
        with closing(store.create_or_open(database)) as connection:
            connection.set_progress_handler(counted, 10)
            loads.load_file(connection, str(path))
        return count

    few = max(steps(number) for number in range(3))
    with closing(sqlite3.connect(database)) as connection, connection:
        # Beginnings of every length, as files of every length leave them.
        connection.executemany(
            "insert into load_history (source, format, start_offset, end_offset, end_line, head_bytes, head_sha256,"
            " tail_sha256, started_at) values ('x', 'jsonl', 0, ?1, 1, ?1, ?1, ?1, '')",
            ((number,) for number in range(1, 20_001)),
        )
    assert steps(3) < 2 * few

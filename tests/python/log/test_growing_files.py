"""What was loaded is never loaded again: a file is known by what it holds, however it is called and packed."""

import gzip
import json
import os
from contextlib import closing
from pathlib import Path

import pytest

from model_outcomes.base.errors import OutcomesError
from model_outcomes.intake import loads
from model_outcomes.intake.batches import Batch, Refusals
from model_outcomes.intake.opening import open_source
from model_outcomes.intake.writer import LoadResult, Position, Writer
from model_outcomes.log import store

pytestmark = pytest.mark.usefixtures("made")

HEADER = b"task_type,model_id,success,timestamp\n"


def record(model_id: str) -> bytes:
    return f"coding,{model_id},true,2026-01-31T12:00:00Z\n".encode()


@pytest.fixture
def models(query):
    """The models in the log, in the order of their outcomes."""
    return lambda: [model_id for (model_id,) in query("select model_id from model_outcomes order by id")]


@pytest.mark.parametrize("event_ids", [("e1", "e2"), (..., ...)], ids=["named", "nameless"])
@pytest.mark.parametrize("again", ["same", "renamed", "copied", "packed", "stdin", "array", "touched"])
def test_the_same_content_adds_nothing(
    invoke, models, line, tmp_path: Path, event_ids: tuple[object, object], again: str
) -> None:
    file, other = tmp_path / "log.jsonl", tmp_path / "other.jsonl"
    lines = [line(model_id=name, event_id=event_id) for name, event_id in zip("ab", event_ids, strict=True)]
    content = b"".join(lines)
    file.write_bytes(content)
    assert invoke("load", file).exit_code == 0
    if again == "array":
        # Written as the loader lays an array out, it would be known; any other way, event_ids alone tell.
        other.with_suffix(".json").write_bytes(b"[" + b",\n".join(text.strip() for text in lines) + b"]")
    elif again == "renamed":
        file.rename(other)
    elif again == "copied":
        other.write_bytes(content)
    elif again == "packed":
        other.write_bytes(gzip.compress(content))
    elif again == "touched":
        os.utime(file, (0, 0))
    name = {"stdin": "-", "same": file, "touched": file, "array": other.with_suffix(".json")}.get(again, other)
    result = invoke("load", name, input=content)
    assert (result.exit_code, "0 accepted, 0 duplicates, 0 rejected" in result.stdout) == (0, True)
    assert models() == ["a", "b"]


def test_the_same_events_in_another_file_are_duplicates(invoke, models, line) -> None:
    first, second = line(model_id="a", event_id="e1"), line(model_id="b", event_id="e2")
    invoke("load", "-", input=first + second)
    result = invoke("load", "-", input=second + first + line(model_id="c", event_id="e3"))
    assert "1 accepted, 2 duplicates, 0 rejected" in result.stdout
    assert models() == ["a", "b", "c"]


def test_like_lines_of_one_file_are_outcomes_each(invoke, models, line) -> None:
    assert "3 accepted" in invoke("load", "-", input=line(model_id="a") * 3).stdout
    assert models() == ["a"] * 3


@pytest.mark.parametrize("bulk", [0, 30_000], ids=["small", "over the fingerprint's stretch"])
def test_a_grown_file_gives_its_new_lines(invoke, query, line, tmp_path: Path, bulk: int) -> None:
    file = tmp_path / "log.jsonl"
    file.write_bytes(line(model_id="old") * (bulk + 2))
    invoke("load", file)
    for name in ("new", "newer"):
        with file.open("ab") as log:
            log.write(line(model_id=name))
        assert "1 accepted" in invoke("load", file).stdout
    assert query("select model_id, count(*) from model_outcomes group by 1 order by 2 desc, min(id)") == [
        ("old", bulk + 2), ("new", 1), ("newer", 1),
    ]  # fmt: skip
    assert query("select start_offset > 0, accepted_count from load_history order by load_id") == [
        (0, bulk + 2), (1, 1), (1, 1),
    ]  # fmt: skip


def test_a_grown_csv_gives_its_new_records(invoke, models, query, tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    file.write_bytes(HEADER + record("a") + b'"two\nlines",b,true,2026-01-31T12:00:00Z\n')
    invoke("load", file)
    with file.open("ab") as log:
        log.write(record("c") + b"bad\n")
    assert invoke("load", file).exit_code == 3
    assert models() == ["a", "b", "c"]
    assert query("select line_number from rejected_outcomes") == [(6,)]


def test_a_grown_array_gives_its_new_elements(invoke, models, line, tmp_path: Path) -> None:
    file = tmp_path / "log.json"
    for names in ("ab", "abc"):
        file.write_text(json.dumps([json.loads(line(model_id=name)) for name in names], indent=2))
        assert invoke("load", file).exit_code == 0
    assert models() == ["a", "b", "c"]


def test_a_rotated_file_is_a_new_one(invoke, models, line, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    for name in "ab":
        file.write_bytes(line(model_id=name) * 2)
        assert "2 accepted" in invoke("load", file).stdout
        file.rename(tmp_path / f"log.{name}.jsonl")
    result = invoke("load", tmp_path / "log.a.jsonl", tmp_path / "log.b.jsonl")
    assert result.stdout.count("0 accepted") == 2
    assert models() == ["a", "a", "b", "b"]


def test_files_that_begin_alike_are_told_apart(invoke, query, line, tmp_path: Path) -> None:
    common = b"".join(line(event_id=f"e{number}", task_id="x" * 200) for number in range(1000))
    for name in "ab":
        (tmp_path / name).write_bytes(common + line(model_id=name) * 1000)
    assert "2,000 accepted, 0 duplicates" in invoke("load", tmp_path / "a").stdout
    assert "1,000 accepted, 1,000 duplicates" in invoke("load", tmp_path / "b").stdout
    assert query("select model_id, count(*) from model_outcomes group by 1 order by 1") == [
        ("a", 1000), ("alpha", 1000), ("b", 1000),
    ]  # fmt: skip


def test_a_file_cut_short_while_it_is_read_says_so(database: Path, line, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    file.write_bytes(line() * 25_000)
    with closing(store.create_or_open(database)) as connection, open_source(str(file), None) as source:
        assert source.digests(len(line()) * 25_000) is not None
        os.truncate(file, 1000)
        assert source.digests(len(line()) * 25_000) is None
        writer = Writer(connection, source, Position(), LoadResult(""), Refusals(), None)
        with pytest.raises(OutcomesError, match="was cut short"):
            writer.write(Batch([], len(line()) * 25_000, 25_001, tuple))


def test_a_shortened_file_adds_nothing_that_was_there(invoke, models, line, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    file.write_bytes(line(model_id="a", event_id="e1") + line(model_id="b", event_id="e2"))
    invoke("load", file)
    file.write_bytes(line(model_id="a", event_id="e1"))
    assert "0 accepted, 1 duplicates" in invoke("load", file).stdout
    assert models() == ["a", "b"]


@pytest.mark.parametrize("cut", [1, 40, -1])
def test_an_unfinished_last_line_waits(invoke, models, query, line, tmp_path: Path, cut: int) -> None:
    file, last = tmp_path / "log.jsonl", line(model_id="b")
    file.write_bytes(line(model_id="a") + last[:cut])
    result = invoke("load", file)
    assert (result.exit_code, "waits" in result.stderr) == (0, True)
    assert models() == ["a"]
    file.write_bytes(line(model_id="a") + last)
    assert "waits" not in invoke("load", file).stderr
    assert models() == ["a", "b"]
    assert query("select count(*) from rejected_outcomes") == [(0,)]


def test_an_overlong_unfinished_line_waits(invoke, models, query, line, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    file.write_bytes(line(model_id="a") + b'{"' + b"x" * 2_500_000)
    assert "waits" in invoke("load", file).stderr
    with file.open("ab") as log:
        log.write(b'"}\n' + line(model_id="b"))
    assert invoke("load", file).exit_code == 3
    assert models() == ["a", "b"]
    assert query("select line_number from rejected_outcomes") == [(2,)]


def test_an_unfinished_last_record_of_csv_waits(invoke, models, tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    for end in (10, len(HEADER) + 5, len(HEADER) + len(record("a")) + 12, None):
        file.write_bytes((HEADER + record("a") + record("b"))[:end])
        assert invoke("load", file).exit_code == 0
    assert models() == ["a", "b"]


@pytest.mark.parametrize("how", ["--complete", "stdin", "gz", "array"])
def test_where_nothing_can_follow_the_last_line_is_taken(invoke, models, line, tmp_path: Path, how: str) -> None:
    content = line(model_id="a") + line(model_id="b").strip()
    file = tmp_path / "log"
    file.write_bytes(
        {"gz": gzip.compress(content), "array": b"[" + content.replace(b"\n", b",") + b"]"}.get(how, content)
    )
    arguments = {"--complete": ["--complete", file], "stdin": ["-"]}.get(how, [file])
    result = invoke("load", *arguments, input=content)
    assert (result.exit_code, result.stderr) == (0, "")
    assert models() == ["a", "b"]


def test_a_file_may_grow_while_it_is_read(database: Path, line, tmp_path: Path, query) -> None:
    file, text = tmp_path / "log.jsonl", line()
    file.write_bytes(text * 25_000)

    def append_once(done: int, size: int) -> None:
        if file.stat().st_size == 25_000 * len(text):
            with file.open("ab") as log:
                log.write(text * 25_000 + text[:20])

    connection = store.create_or_open(database)
    loads.load_file(connection, str(file), progress=append_once)
    with file.open("ab") as log:
        log.write(text[20:])
    loads.load_file(connection, str(file))
    connection.close()
    assert query("select count(*) from model_outcomes") == [(50_001,)]
    assert query("select count(*) from rejected_outcomes") == [(0,)]

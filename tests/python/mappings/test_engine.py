"""A mapping reads documents and nothing else; what it gives is judged like any other input."""

import gzip
import io
import json
import random
import re
import sqlite3
import zipfile
from contextlib import closing
from pathlib import Path

import pytest

from model_outcomes.base.errors import OutcomesError
from model_outcomes.intake import documents, mapped, mapping, sandbox

FACTS = """
select
    json_extract(doc, '$.kind') as task_type,
    json_extract(doc, '$.model') as model_id,
    json_extract(doc, '$.ok') as success,
    json_extract(doc, '$.at') as timestamp,
    json_extract(doc, '$.id') as event_id,
    json_extract(doc, '$.team') as team,
    json_extract(doc, '$.why') as no_verdict_reason
from raw
"""
DOCUMENT = {"id": "e1", "kind": "sums", "model": "able", "ok": 1, "at": "2026-05-01T10:00:00Z", "secret": "key-123"}
LINE = json.dumps(DOCUMENT)
CSV = "id,kind,model,ok,at\ne1,sums,able,1,2026-05-01T10:00:00Z\n"


@pytest.fixture
def mine(tmp_path: Path):
    """Write a mapping of one's own."""

    def write(sql: str = FACTS) -> Path:
        path = tmp_path / "mine.sql"
        path.write_text(sql)
        return path

    return write


def documents_of(path: Path) -> tuple[list[tuple[int, object]], str]:
    opened = documents.opened(path)
    return [(each.number, json.loads(each.doc)) for each in opened.documents], str(opened.faults)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("one.json", b'\xef\xbb\xbf{"a":\n NaN}', [{"a": None}]),
        ("no newline.json", b'{"a": 1}', [{"a": 1}]),
        ("array.json", b"[1,\n 2]", [[1, 2]]),
        ("lines.jsonl", b'{"a": 1}\n\n{"a": -Infinity}\n{"a": 3}', [{"a": 1}, {"a": None}, {"a": 3}]),
        ("pretty.jsonl", b'{\n "a": 1\n}\n{\n "a": 2\n}', [{"a": 1}, {"a": 2}]),
        ("packed.json.gz", gzip.compress(b'{"a": 1}\n{"a": 2}\n', mtime=0), [{"a": 1}, {"a": 2}]),
        ("half a pair.json", b'{"a": "\\ud83d", "b": "\\ud83d\\ude00"}', [{"a": "\ufffd", "b": "\U0001f600"}]),
        ("t.csv", b'a;b\n1;"x;y"\n2;\n', [{"a": "1", "b": "x;y"}, {"a": "2"}]),
        ("t.tsv", "\ufeffa\tb\n1\t\u00e4\n".encode("utf-16"), [{"a": "1", "b": "\u00e4"}]),
        ("empty.json", b"", []),
    ],
)
def test_a_file_is_opened_as_what_it_is(tmp_path: Path, name: str, content: bytes, expected: list[object]) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    contents, fault = documents_of(path)
    assert ([document for _, document in contents], fault) == (expected, "")


@pytest.mark.parametrize(
    ("content", "count", "fault"),
    [
        (b'{"a": 1}\n{"a": \n{"a": 3}\n', 2, "line 2: not JSON"),
        (b'{"a": \n{"a": 2}\n', 1, "line 3: not JSON"),
        (b'{"a": 1}\n{"a": "\xff"}\n{"a": 3}\n', 2, "line 2: not UTF-8 at byte 8"),
        (b"[" * 100_000 + b"]" * 100_000, 0, "nested too deeply"),
        (b'{"a": 1}\n' + b"[" * 3_000 + b"]" * 3_000 + b"\n", 1, "line 2: nested too deeply"),
    ],
    ids=["in the middle", "first", "no UTF-8", "deep", "deeper than SQLite reads"],
)
def test_documents_that_cannot_be_read_are_named_and_the_others_read(
    tmp_path: Path, content: bytes, count: int, fault: str
) -> None:
    path = tmp_path / "lines.jsonl"
    path.write_bytes(content)
    contents, message = documents_of(path)
    assert fault in message
    assert len(contents) == count


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b'{"a": {"b": [{"c": 1},\n {"c": [2]}, "x", 3, null]}}', [{"c": 1}, {"c": [2]}, "x", 3, None]),
        (b'{"a": {"b": []}}', []),
        (b'{"a": {"b": [{"c": NaN},\n {"c": "\\ud83d"}]}}', [{"c": None}, {"c": "\ufffd"}]),
        (b'{"a": {"b":\n [{"c": "\\udc00"}]}}', [{"c": "\ufffd"}]),
        (b'{"a": {"b": [{"c": "[{"}, {"c": "' + b"[" * 5_000 + b'"}]}}', [{"c": "[{"}, {"c": "[" * 5_000}]),
        (b'{"a": {"b": [1]}}\n{"d": 2}\n{"a": {"b": ["e"]}}\n', [1, {"d": 2}, "e"]),
        (b'{"a": {"b": [1]}}\n{"a": \n{"a": {"b": [3]}}\n', [1, 3]),
        (b'\xef\xbb\xbf{"a": {"b": [1]},\n "c": 1}', [1]),
        ('{"a": {"b":\n ["\u00e4"]}}'.encode("utf-16"), ["\u00e4"]),
        (gzip.compress(b'{"a": {"b":\n [{"a": {"b": [1]}}]}}', mtime=0), [{"a": {"b": [1]}}]),
    ],
    ids=[
        "whole",
        "empty",
        "repaired",
        "half a pair",
        "brackets in a text",
        "lines",
        "a fault",
        "mark",
        "utf-16",
        "gzip",
    ],
)
def test_the_elements_of_an_array_are_documents(tmp_path: Path, content: bytes, expected: list[object]) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(content)
    found = list(documents.opened(path, each="$.a.b").documents)
    assert [json.loads(each.doc) for each in found] == expected
    assert [each.member for each in found] == [None if value == {"d": 2} else "$.a.b" for value in expected]


@pytest.mark.parametrize(
    "content", [b'{"a": {"b": {"c": [1]}}}', b'{"a": 1,\n "b": 2}', b'[{"a": {"b": [1]}}]', b'{"a": {"b": null}}']
)
def test_a_document_without_the_array_stays_whole(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(content)
    assert [(each.member, json.loads(each.doc)) for each in documents.opened(path, each="$.a.b").documents] == [
        (None, json.loads(content))
    ]


@pytest.mark.parametrize("depth", [1_850, 1_950, 3_000])
def test_elements_are_as_deep_as_sqlite_reads(tmp_path: Path, depth: int) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(b'{"a":\n [{"b": ' + b"[" * depth + b"]" * depth + b"}]}")
    opened = documents.opened(path, each="$.a")
    found = [each.doc for each in opened.documents]
    with closing(sqlite3.connect(":memory:")) as connection:
        assert all(connection.execute("select json_valid(?)", (doc,)).fetchone() == (1,) for doc in found)
    assert (len(found), "nested too deeply" in str(opened.faults)) == ((0, True) if depth == 3_000 else (1, False))


def test_only_what_sqlite_reads_is_split_without_it() -> None:
    dice = random.Random(7)
    pieces = [
        *'{}[],:"\\/-+.eE01 \t\n\x0b\x00\x1f\x7f\u2028\ufeffab',
        "\\u",
        "d800",
        "\\x",
        "NaN",
        "true",
        "null",
        "1e999",
        "//",
    ]
    values = ['{"a": 1}', '[1, "x"]', '"\\u00e9"', "-2.5e3", "null", '{"b": [true, {}]}', '"\\n"', "0"]
    split = 0
    with closing(sqlite3.connect(":memory:")) as connection:
        for _ in range(20_000):
            text = dice.choice(values)
            for _ in range(dice.randrange(3)):
                start = dice.randrange(len(text) + 1)
                text = text[:start] + dice.choice(pieces) + text[start + dice.randrange(2) :]
            for element in documents._elements(f'{{"a": [{text}]}}', "$.a") or ():
                split += 1
                assert connection.execute("select json_valid(?)", (str(element, "utf-8"),)).fetchone() == (1,), text
    assert split > 5_000


@pytest.mark.parametrize(
    ("head", "fault"),
    [
        ("-- each: results", "each is results, expected a path such as $.results"),
        ("-- each: $.a[0]", "each is $.a[0], expected a path such as $.results"),
        ("-- each: $.a\n-- members: a.json", "leave one out"),
    ],
)
def test_a_path_of_elements_is_checked(mine, head: str, fault: str) -> None:
    with pytest.raises(OutcomesError) as raised:
        mapping.read(mine(f"{head}\n{FACTS}"))
    assert fault in str(raised.value)


def test_a_document_has_a_limit_wherever_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documents, "DOCUMENT_LIMIT_BYTES", 10_000)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("header.json", b" " * 50_000)
    lines = b'{"a": 1}\n'
    contents = {
        "bomb.eval": bomb.getvalue(),
        # A zip that lies about the size of its member
        "liar.eval": bomb.getvalue().replace((50_000).to_bytes(4, "little"), (9_000).to_bytes(4, "little")),
        "line.jsonl": lines + b'{"a": "' + b"x" * 50_000 + b'"}\n',
        "only line.jsonl": b'{"a": "' + b"x" * 50_000,
        "packed.json.gz": gzip.compress(b'{"a": "' + b"x" * 50_000 + b'"}', mtime=0),
    }
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        opened = documents.opened(tmp_path / name, ("header.json",))
        with pytest.raises(OutcomesError, match=r"longer than 10,000 bytes|is no zip that can be read"):
            list(opened.documents)


@pytest.mark.parametrize(
    "sql",
    [
        "insert into raw values ('a', null, 1, '{}')",
        "with a as (select 1) delete from raw",
        "attach '/tmp/other.db' as other",
        "pragma journal_mode = wal",
        "select load_extension('evil') as event_id, 1 as success",
        "select 1 as event_id, 1 as success; drop table raw",
        "select name as event_id, 1 as success from pragma_database_list",
        "create table t (a)",
        "begin",
        "vacuum into '/tmp/copy.db'",
        "select writefile('/tmp/x', 'y') as event_id, 1 as success",
        "",
        "-- nothing",
    ],
)
def test_a_mapping_only_reads(invoke, files, mine, query, sql: str) -> None:
    path = files(**{"a.jsonl": [DOCUMENT]}) / "a.jsonl"
    result = invoke("load", "--as", mine(sql), path)
    assert (result.exit_code, result.output.count("the mapping mine ")) == (2, 1), result.output
    assert query("select count(*) from model_outcomes union all select count(*) from load_history") == [(0,), (0,)]


def test_an_endless_mapping_ends(tmp_path: Path, mine) -> None:
    numbers = "with recursive n(i) as (select 1 union all select i + 1 from n)"
    chosen = mapping.read(mine(f"{numbers} select i as event_id, 1 as success from n where i < 0"))
    with (
        pytest.raises(OutcomesError, match=r"the mapping mine took longer than 0\.2 seconds"),
        sandbox.rows(chosen, [], None, {}, time_limit_s=0.2) as rows,
    ):
        list(rows.batches())


def test_a_mapping_of_ones_own(invoke, files, mine, query) -> None:
    folder = files(**{
        "a.jsonl": [DOCUMENT, {**DOCUMENT, "id": "e2", "ok": None, "why": "skipped"}, {**DOCUMENT, "ok": None}],
        "b.json": {**DOCUMENT, "id": "e4", "team": "red"},
        "c.json": b"{",
    })  # fmt: skip
    result = invoke("load", "--as", mine(), folder)
    assert result.exit_code == 2  # for the broken file; the others are loaded
    assert (
        f"{folder}: 2 accepted, 0 duplicates, 2 without a verdict (1 skipped, 1 no reason given), 0 rejected"
        in result.output
    )
    assert "c.json: line 1: not JSON" in result.output
    assert query("select event_id, attributes from model_outcomes") == [("e1", None), ("e4", '{"team":"red"}')]
    assert query("select source, format, accepted_count from load_history") == [(str(folder), "mine", 2)]


def test_a_reject_keeps_the_row_and_not_the_document(invoke, files, mine, query) -> None:
    lines = [{**DOCUMENT, "ok": 7}, {**DOCUMENT, "id": "e2"}, {**DOCUMENT, "id": "e2", "kind": "other"}]
    path = files(**{"a.jsonl": lines}) / "a.jsonl"
    result = invoke("load", "--as", mine(), path)
    assert (result.exit_code, "1 accepted, 0 duplicates, 0 without a verdict, 2 rejected" in result.output) == (3, True)
    kept = query("select line_number, raw_text from rejected_outcomes order by line_number")
    assert [(number, json.loads(text)["event_id"]) for number, text in kept] == [(1, "e1"), (3, "e2")]
    assert "key-123" not in str(kept)
    assert query("select count(*) from model_outcomes") == [(1,)]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("select 1 as success from raw", "gives no column event_id"),
        ("select null as event_id, 1 as success, 'a' as task_type from raw", "gives a row without an event_id"),
        ("select missing_column from raw", "no such column: missing_column"),
        ("-- group: heap\nselect 1", "group is heap, expected one of file, folder, all"),
    ],
)
def test_a_fault_of_a_mapping_is_one_line(invoke, files, mine, sql: str, message: str) -> None:
    result = invoke("load", "--as", mine(sql), files(**{"a.jsonl": [DOCUMENT]}))
    assert result.exit_code == 2
    assert len([line for line in result.output.splitlines() if message in line]) == 1, result.output


def test_a_mapping_sees_a_database_as_source(invoke, tmp_path: Path, mine, query) -> None:
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("pragma journal_mode = wal")
        connection.execute("create table runs (id, verdict)")
        connection.execute("insert into runs values (5, 'pass')")
        connection.commit()
    before = path.read_bytes()
    columns = "'t' as task_type, 'm' as model_id, '2026-05-01T10:00Z' as timestamp, verdict = 'pass' as success"
    sql = f"select 'run-' || id as event_id, {columns} from source.runs"
    assert invoke("load", "--as", mine(sql), path).exit_code == 0
    assert query("select event_id, success from model_outcomes") == [("run-5", 1)]
    assert path.read_bytes() == before
    assert sorted(each.name for each in tmp_path.glob("theirs*")) == ["theirs.db"]


def test_times_without_an_offset_take_the_zone(invoke, files, mine, query) -> None:
    path = files(**{"a.jsonl": [{**DOCUMENT, "at": at} for at in ("2026-07-01 10:00", "2026-01-01T10:00:00.5")]})
    sql = FACTS.replace("'$.id')", "'$.at')")
    assert "2 rows have a time without an offset: give --zone" in invoke("load", "--as", mine(sql), path).output
    assert invoke("load", "--as", mine(sql), path, "--zone", "Europe/Nowhere").exit_code == 2
    assert invoke("load", "--as", mine(sql), path, "--zone", "Europe/Berlin").exit_code == 0
    assert query("select timestamp from model_outcomes order by 1") == [
        ("2026-01-01T09:00:00.500000Z",),
        ("2026-07-01T08:00:00.000000Z",),
    ]


def test_a_table_of_outcomes_toml_names_the_mapping(invoke, files, mine, query, tmp_path: Path, monkeypatch) -> None:
    path = files(**{"a.jsonl": [{**DOCUMENT, "at": "2026-07-01 10:00"}]})
    sql = mine(FACTS.replace("'$.id')", "'$.at')"))
    (tmp_path / "outcomes.toml").write_text(f'[load.own]\nas = "{sql}"\nzone = "Europe/Berlin"\n')
    monkeypatch.setenv("OUTCOMES_CONFIG", str(tmp_path / "outcomes.toml"))
    monkeypatch.delenv("OUTCOMES_LOAD", raising=False)
    assert invoke("load", "--with", "own", path).exit_code == 0
    assert query("select timestamp from model_outcomes") == [("2026-07-01T08:00:00.000000Z",)]


def test_a_dry_run_shows_all_and_writes_nothing(invoke, files, mine, database: Path) -> None:
    database.unlink()
    lines = [DOCUMENT, {**DOCUMENT, "id": "e2", "ok": None}, {**DOCUMENT, "id": "e3", "ok": 0, "type": "odd_error"},
             {**DOCUMENT, "id": "e4", "ok": 0, "type": "wrong_answer"}, {**DOCUMENT, "at": "soon"},
             {**DOCUMENT, "id": "e5", "ok": 0, "type": "HTTP 429 [busy]"},
             {**DOCUMENT, "id": "e6", "ok": 0, "type": "openai.RATE_LIMIT_exceeded"}]  # fmt: skip
    sql = FACTS.replace("from raw", ", json_extract(doc, '$.type') as error_type from raw")
    result = invoke("load", "--as", mine(sql), files(**{"a.jsonl": lines}), "--dry-run")
    assert "1 successes, 4 failures, 1 without a verdict (1 no reason given), 1 rejected" in result.output
    assert "error types that no seed classifies: odd_error (1)\n" in result.output
    assert "timestamp: expected a time such as" in result.output
    assert not database.exists()
    missing = invoke(
        "load", "--as", "swe-bench", "--dry-run", files(**{"x_eval_results.json": {"instance_a__b": True}})
    )
    assert (missing.exit_code, "1 successes" in missing.output, "needs --timestamp" in missing.output) == (
        2,
        True,
        True,
    )
    assert not database.exists()


def test_a_file_of_a_tool_is_named_and_not_shredded(invoke, files, query, tmp_path: Path) -> None:
    log = {"version": 2, "eval": {"task": "t", "task_attribs": {}, "model": "m"}, "plan": {}, "samples": []}
    eval_file = io.BytesIO()
    with zipfile.ZipFile(eval_file, "w") as archive:
        archive.writestr("header.json", "{}")
        archive.writestr("summaries.json", "[]")
    database = tmp_path / "promptfoo.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("create table evals (id)")
        connection.execute("create table eval_results (id)")
    folder = files(**{
        "a.json": json.dumps(log, indent=1).encode(), "b.eval": eval_file.getvalue(),
        "c.json": {"results": [{"trial_name": "t", "is_resolved": True, "failure_mode": "unset"}], "resolved_ids": []},
        "d.json": {"task_name": "t", "trial_name": "t", "task_checksum": "c", "agent_info": {}},
    })  # fmt: skip
    tools = {"a.json": "inspect", "b.eval": "inspect", "c.json": "terminal-bench", "d.json": "harbor"}
    for path, tool in {**{folder / name: tool for name, tool in tools.items()}, database: "promptfoo"}.items():
        result = invoke("load", path)
        lines = [line for line in result.output.splitlines() if not line.startswith("database: ")]
        assert (result.exit_code, len(lines), f"load it with --as {tool}" in lines[0]) == (2, 1, True), result.output
    assert query("select count(*) from rejected_outcomes union all select count(*) from load_history") == [(0,), (0,)]


def test_an_outcome_with_the_words_of_a_tool_is_an_outcome(invoke, tmp_path: Path, line) -> None:
    path = tmp_path / "ours.jsonl"
    path.write_bytes(line(evalId="e", promptIdx=1, testIdx=2))
    assert invoke("load", path).exit_code == 0


def test_options_of_a_mapping_go_with_a_mapping(invoke, files) -> None:
    path = files(**{"a.jsonl": [DOCUMENT]})
    assert invoke("load", path / "a.jsonl", "--scorer", "match").exit_code == 2
    wrong = invoke("load", "--as", "harbor", path, "--scorer", "match")
    assert "harbor takes no --scorer; it takes --task-type, --model-id, --score, --threshold, --zone" in wrong.output
    unknown = invoke("load", "--as", "nothing", path)
    assert (unknown.exit_code, "there is no mapping nothing: name one of " in unknown.output) == (2, True)


@pytest.mark.parametrize("chosen", mapping.shipped().values(), ids=lambda chosen: chosen.name)
def test_a_shipped_mapping_says_what_it_is_and_computes_documents_once(chosen: mapping.Mapping) -> None:
    assert chosen.title.startswith(("a ", "an "))
    assert chosen.versions
    assert chosen.rules
    assert chosen.files != ("*",)
    if not chosen.reads_database:
        with sandbox.rows(chosen, [], None, {}) as rows:
            assert list(rows.batches()) == []
    # A CTE that reads documents again for each row of another takes minutes.
    steps = re.findall(r"^(\w+)(?:\([^)]*\))? as (materialized )?\(\n(.*?)^\)", chosen.sql, re.DOTALL | re.MULTILINE)
    assert [name for name, kept, body in steps if re.search(r"\braw\b", body) and not kept] == []
    assert any(kept for _, kept, _ in steps)


def test_units_follow_the_group(tmp_path: Path) -> None:
    names = ["a/results.json", "a/run_metadata.json", "b/results.json", "b/notes.txt"]
    for name in names:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    units = list(mapped.units(mapping.named("terminal-bench"), [tmp_path]))
    assert [(Path(each.name).name, len(each.files)) for each in units if isinstance(each, mapped.Unit)] == [
        ("a", 2),
        ("results.json", 1),
    ]

"""Aggregates of the older tool become opening balances: exactly, once, and never by guessing."""

import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from model_outcomes.base.errors import OutcomesError
from model_outcomes.intake import legacy
from model_outcomes.log import store

pytestmark = pytest.mark.usefixtures("made")

Types = dict[str, dict[str, Any]]

COUNTS = "sum(successes), sum(failures), sum(timeouts), sum(total_tokens), sum(total_cost_nano_usd)"
SUMS = f"select {COUNTS} from legacy_model_stats"
FULL: Types = {
    "coding": {
        "alpha": {
            "successes": 42, "failures": 3, "timeouts": 1, "totalTokens": 12345, "totalCost": 0.1,
            "lastUsed": "2026-01-31T12:00:00.000Z", "successRate": 0.93,
        },
        "beta": {"successes": 0, "failures": 0, "totalCost": 0.2},
    },
    "review": {"alpha": {"successes": 1, "failures": 2, "timeouts": 2, "totalTokens": 5, "totalCost": 1234.567891234}},
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "model-performance.json"


def grown(**counts: Any) -> Types:
    """FULL with other counts of coding.alpha."""
    return {**FULL, "coding": {**FULL["coding"], "alpha": {**FULL["coding"]["alpha"], **counts}}}


def test_the_smallest_real_cell(invoke, query, file: Path) -> None:
    file.write_text('{"coding": {"alpha": {"successes": 42, "failures": 3, "successRate": 0.93}}}')
    assert invoke("import-legacy", file).exit_code == 0
    assert query("select * from legacy_model_stats") == [(1, "coding", "alpha", 42, 3, 0, 0, 0, None)]


def test_cells_come_in_to_the_nano_dollar_and_as_no_events(invoke, query, file: Path) -> None:
    file.write_text(json.dumps(FULL))
    result = invoke("import-legacy", file)
    assert (result.exit_code, "3 cells added to" in result.stdout) == (0, True)
    columns = "task_type, model_id, successes, failures, timeouts, total_tokens, total_cost_nano_usd, last_used"
    assert query(f"select {columns} from legacy_model_stats order by 1, 2") == [
        ("coding", "alpha", 42, 3, 1, 12345, 100_000_000, "2026-01-31T12:00:00.000000Z"),
        ("coding", "beta", 0, 0, 0, 0, 200_000_000, None),
        ("review", "alpha", 1, 2, 2, 5, 1_234_567_891_234, None),
    ]
    assert query("select count(*) from model_outcomes") == [(0,)]


@pytest.mark.parametrize(("cost", "nano"), [(1.001, 1_001_000_000), (0.000000015, 15), (2578.236, 2_578_236_000_000)])
def test_costs_are_rounded_to_the_nearest_nano_dollar(invoke, query, file: Path, cost: float, nano: int) -> None:
    file.write_text(json.dumps({"t": {"m": {"successes": 1, "failures": 0, "totalCost": cost}}}))
    invoke("import-legacy", file)
    assert query(SUMS) == [(1, 0, 0, 0, nano)]


@pytest.mark.parametrize("other", [FULL, json.loads(json.dumps(FULL, sort_keys=True))], ids=["bytes", "order"])
def test_the_same_content_again_changes_nothing(invoke, query, file: Path, other: Types) -> None:
    file.write_text(json.dumps(FULL))
    invoke("import-legacy", file)
    before = query("select * from legacy_model_stats")
    file.write_text(json.dumps(other, indent=1 if other is not FULL else None))
    result = invoke("import-legacy", file)
    assert (result.exit_code, "0 cells added to, 3 unchanged" in result.stdout) == (0, True)
    assert query("select * from legacy_model_stats") == before


def test_what_has_grown_is_added(invoke, query, file: Path) -> None:
    for content in (
        FULL,
        grown(successes=50, totalCost=0.3, lastUsed="2026-02-01T00:00:00Z"),
        grown(successes=50, failures=4, totalCost=0.3) | {"planning": {"gamma": {"successes": 1, "failures": 0}}},
    ):
        file.write_text(json.dumps(content))
        assert invoke("import-legacy", file).exit_code == 0
    assert query(f"{SUMS} where model_id = 'alpha' and task_type = 'coding'") == [(50, 4, 1, 12345, 300_000_000)]
    assert query(SUMS) == [(52, 6, 3, 12350, 300_000_000 + 200_000_000 + 1_234_567_891_234)]
    assert query("select load_id, count(*) from legacy_model_stats group by 1") == [(1, 3), (2, 1), (3, 2)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (grown(successes=41), "successes of coding.alpha shrank from 42 to 41"),
        (grown(successes=99, failures=2), "failures of coding.alpha shrank from 3 to 2"),
        (grown(timeouts=0), "timeouts of coding.alpha shrank from 1 to 0"),
        (grown(totalTokens=1), "total_tokens of coding.alpha shrank"),
        (grown(totalCost=0.0999), "total_cost_nano_usd of coding.alpha shrank"),
        ({"coding": FULL["coding"]}, "review.alpha was imported before and is gone"),
        ({}, "was imported before and is gone"),
    ],
)
def test_what_has_shrunk_is_refused(invoke, query, file: Path, content: Types, said: str) -> None:
    file.write_text(json.dumps(FULL))
    invoke("import-legacy", file)
    before = query("select * from legacy_model_stats"), query("select * from load_history")
    file.write_text(json.dumps(content))
    result = invoke("import-legacy", file)
    assert (result.exit_code, said in result.stderr, str(file) in result.stderr) == (2, True, True)
    assert (query("select * from legacy_model_stats"), query("select * from load_history")) == before


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ({"successes": -1, "failures": 0}, "successes: expected int >= 0"),
        ({"successes": 1.5, "failures": 0}, "successes: expected int"),
        ({"successes": "3", "failures": 0}, "successes: expected int"),
        ({"successes": True, "failures": 0}, "successes: expected int"),
        ({"successes": 10**30, "failures": 0}, "successes: expected int <= 1000000000000"),
        ({"successes": 1}, "failures: is missing"),
        ({"successes": None, "failures": 0}, "successes: is missing"),
        ({"successes": 1, "failures": 1, "timeouts": 2}, "timeouts: exceed failures, got 2 for 1"),
        ({"successes": 1, "failures": 1, "totalCost": -0.1}, "totalCost: expected float >= 0"),
        ({"successes": 1, "failures": 1, "totalTokens": "many"}, "totalTokens: expected int"),
        ({"successes": 1, "failures": 1, "lastUsed": "yesterday"}, "lastUsed:"),
        ([], "is no object"),
        (7, "is no object"),
        (None, "is no object"),
    ],
    ids=str,
)
def test_bad_cells_are_told_by_path_and_the_good_ones_come_in(invoke, query, file: Path, cell: Any, said: str) -> None:
    file.write_text(json.dumps(FULL | {"bad": {"one": cell}}))
    result = invoke("import-legacy", file)
    assert (result.exit_code, "3 cells added to, 0 unchanged, 1 rejected" in result.stdout) == (3, True)
    assert "bad.one: " in result.stderr
    assert said in result.stderr
    assert query("select count(*) from legacy_model_stats") == [(3,)]
    ((reasons, raw_text),) = query("select reasons, raw_text from rejected_outcomes")
    (fault,) = json.loads(reasons)
    assert fault["field"].startswith("bad.one")
    assert fault["problem"] in result.stderr
    assert json.loads(raw_text) == cell


@pytest.mark.parametrize("name", ["", " ", "a\0b", "n" * 501, "half \ud800"], ids=ascii)
def test_names_that_are_none_are_refused(invoke, query, file: Path, name: str) -> None:
    cell = {"successes": 1, "failures": 0}
    file.write_text(json.dumps({name: {"alpha": cell}, "coding": {name: cell, "alpha": cell}}))
    result = invoke("import-legacy", file)
    assert (result.exit_code, "1 cells added to, 0 unchanged, 2 rejected" in result.stdout) == (3, True)
    assert query("select task_type, model_id from legacy_model_stats") == [("coding", "alpha")]


def test_every_fault_of_a_cell_is_told(invoke, file: Path) -> None:
    file.write_text('{"t": {"m": {"successes": -1, "timeouts": "x", "totalCost": 1e400}}}')
    said = invoke("import-legacy", file).stderr
    for fault in ("successes: ", "failures: is missing", "timeouts: ", "totalCost: "):
        assert fault in said


def test_a_cell_that_is_mended_comes_in_later(invoke, query, file: Path) -> None:
    file.write_text(json.dumps({"t": {"m": {"successes": 5, "failures": -1}}}))
    assert invoke("import-legacy", file).exit_code == 3
    file.write_text(json.dumps({"t": {"m": {"successes": 5, "failures": 1}}}))
    assert invoke("import-legacy", file).exit_code == 0
    assert query(SUMS) == [(5, 1, 0, 0, 0)]


@pytest.mark.parametrize("content", [b"", b"{}"])
def test_an_empty_file_holds_no_cells(invoke, query, file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert invoke("import-legacy", file).exit_code == 0
    assert query("select count(*) from legacy_model_stats") == [(0,)]


@pytest.mark.parametrize(
    "content",
    [
        b"[]", b"7", b'"text"', b"null", b"{", b"nonsense", b"\xff\xfe", b'{"t": []}', b'{"t": 5}', b'{"t": null}',
        b'{"t": {"m": {"successes": NaN, "failures": 0}}}', b"[" * 100_000,
    ],
    ids=lambda content: str(content[:30]),
)  # fmt: skip
def test_another_shape_changes_nothing(invoke, query, file: Path, content: bytes) -> None:
    file.write_bytes(content)
    result = invoke("import-legacy", file)
    assert (result.exit_code, result.stderr.strip().count("\n")) == (2, 0)
    assert str(file) in result.stderr
    assert query("select (select count(*) from legacy_model_stats) + (select count(*) from load_history)") == [(0,)]


def test_a_missing_file_is_named(invoke, file: Path) -> None:
    result = invoke("import-legacy", file)
    assert (result.exit_code, str(file) in result.stderr) == (2, True)


def test_without_a_name_the_old_place_is_meant(invoke, query, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".sf").mkdir()
    (tmp_path / ".sf" / "model-performance.json").write_text(json.dumps(FULL))
    assert invoke("import-legacy").exit_code == 0
    assert query("select count(*) from legacy_model_stats") == [(3,)]


def test_two_files_add_up(invoke, query, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    file.write_text(json.dumps(FULL))
    other.write_text(json.dumps(grown(successes=1)))
    invoke("import-legacy", file)
    invoke("import-legacy", other)
    assert query(SUMS) == [(42 + 1 + 2 * 1, 2 * 5, 2 * 3, 2 * 12350, 2 * 1_234_867_891_234)]


def test_a_moved_file_goes_on_from_its_balances(invoke, query, file: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved.json"
    file.write_text(json.dumps(FULL))
    invoke("import-legacy", file)
    file.rename(moved)
    assert "0 cells added to, 3 unchanged" in invoke("import-legacy", moved).stdout
    moved.write_text(json.dumps(grown(successes=50)))
    assert "1 cells added to, 2 unchanged" in invoke("import-legacy", moved).stdout
    assert query(f"{SUMS} where model_id = 'alpha' and task_type = 'coding'") == [(50, 3, 1, 12345, 100_000_000)]
    moved.rename(file)
    assert invoke("import-legacy", file).exit_code == 0
    file.write_text(json.dumps(grown(successes=51)))
    assert "1 cells added to, 2 unchanged" in invoke("import-legacy", file).stdout
    assert query(SUMS) == [(51 + 1, 5, 3, 12350, 1_234_867_891_234)]


def test_two_copies_that_part_are_refused_rather_than_counted_twice(invoke, query, file: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.json"
    for path in (file, copy):
        path.write_text(json.dumps(FULL))
        invoke("import-legacy", path)
    file.write_text(json.dumps(grown(successes=60)))
    assert invoke("import-legacy", file).exit_code == 0
    copy.write_text(json.dumps(grown(successes=50)))
    assert invoke("import-legacy", copy).exit_code == 2
    assert query(SUMS) == [(60 + 1, 5, 3, 12350, 1_234_867_891_234)]


def test_two_empty_files_are_not_the_same_file(invoke, query, file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    for path in (file, other):
        path.write_text("{}")
        invoke("import-legacy", path)
    for path, successes in ((file, 1), (other, 2)):
        path.write_text(json.dumps({"t": {"m": {"successes": successes, "failures": 0}}}))
        assert invoke("import-legacy", path).exit_code == 0
    assert query(SUMS) == [(3, 0, 0, 0, 0)]


def test_it_fails_whole(invoke, query, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from model_outcomes.intake import legacy

    file.write_text(json.dumps(FULL))

    def fail(*_: object) -> str:
        raise RuntimeError("in the middle")

    with monkeypatch.context() as patch:
        patch.setattr(legacy, "_path", fail)
        file.write_text(json.dumps(FULL | {"bad": {"one": {}}}))
        with pytest.raises(RuntimeError, match="in the middle"):
            invoke("import-legacy", file)
    assert query("select (select count(*) from legacy_model_stats) + (select count(*) from load_history)") == [(0,)]


def test_a_legacy_file_is_no_log_of_outcomes(invoke, query, file: Path) -> None:
    file.write_text(json.dumps(FULL, indent=2) + "\n")
    assert invoke("load", file).exit_code == 2
    assert query("select count(*) from model_outcomes") == [(0,)]


def test_all_or_nothing_of_cells(invoke, query, file: Path) -> None:
    file.write_text(json.dumps(FULL | {"bad": {"one": {"successes": -1, "failures": 0}}}))
    result = invoke("import-legacy", "--all-or-nothing", file)
    assert (result.exit_code, "bad.one: successes: " in result.stderr) == (3, True)
    assert query("select (select count(*) from legacy_model_stats) + (select count(*) from load_history)") == [(0,)]


DAY = timedelta(days=1)


@pytest.fixture
def old_tool(tmp_path: Path, database: Path) -> Callable[..., legacy.LegacyResult]:
    """Write a content, or leave the file as it is, and take it over so many days after now."""
    path = tmp_path / ".sf" / "model-performance.json"
    path.parent.mkdir()
    now = datetime.now(timezone.utc)

    def after(days: float, content: Types | None = None) -> legacy.LegacyResult:
        moment = now + days * DAY
        if content is not None:
            path.write_text(json.dumps(content))
            os.utime(path, (moment.timestamp(), moment.timestamp()))
        with closing(store.create_or_open(database)) as connection:
            return legacy.import_and_archive(connection, path, now=moment)

    return after


def test_a_file_is_archived_after_a_week_without_change(old_tool, query, tmp_path: Path) -> None:
    path = tmp_path / ".sf" / "model-performance.json"
    assert old_tool(0, FULL).added == 3
    assert old_tool(6.9).archived is None
    assert old_tool(6.95, grown(successes=50)).added == 1
    assert old_tool(13.9).archived is None
    before = path.read_bytes()
    archived = old_tool(14).archived
    assert archived is not None
    assert (archived.parent, path.exists(), archived.read_bytes()) == (path.parent / "archive", False, before)
    assert query(SUMS) == [(50 + 1, 5, 3, 12350, 1_234_867_891_234)]


def test_a_file_after_the_archived_one_counts_from_nothing(old_tool, query, tmp_path: Path, invoke) -> None:
    old_tool(0, FULL)
    archived = old_tool(8).archived
    assert old_tool(9, grown(successes=1)).added == 3
    assert query(SUMS) == [(42 + 1 + 2 * 1, 2 * 5, 2 * 3, 2 * 12350, 2 * 1_234_867_891_234)]
    assert "3 unchanged" in invoke("import-legacy", archived).stdout


def test_a_file_with_faults_stays_where_it_is(old_tool) -> None:
    bad = FULL | {"bad": {"one": {"successes": -1, "failures": 0}}}
    old_tool(0, bad)
    assert old_tool(30).archived is None


def test_an_old_file_has_its_week_from_its_first_import(old_tool) -> None:
    old_tool(-30, FULL)
    assert old_tool(1).archived is None
    assert old_tool(8).archived is not None


def test_what_could_not_be_archived_does_not_count_twice(old_tool, query, monkeypatch) -> None:
    old_tool(0, FULL)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", Mock(side_effect=OSError(30, "Read-only file system")))
        with pytest.raises(OutcomesError, match="cannot move"):
            old_tool(8)
    again = old_tool(8.1, grown(successes=43))
    assert (again.added, again.unchanged) == (1, 2)
    assert query("select sum(successes) from legacy_model_stats where model_id = 'alpha'") == [(43 + 1,)]


def test_a_commit_that_fails_puts_the_file_back(old_tool, monkeypatch, tmp_path: Path) -> None:
    path = tmp_path / ".sf" / "model-performance.json"
    old_tool(0, FULL)

    @contextmanager
    def fail(connection: sqlite3.Connection) -> Iterator[None]:
        yield
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(store, "transaction", fail)
        patch.setattr(legacy, "import_file", lambda *_, **__: legacy.LegacyResult(str(path)))
        with pytest.raises(sqlite3.OperationalError):
            old_tool(8)
    assert path.exists()
    assert list((path.parent / "archive").iterdir()) == []


def test_a_move_that_fails_is_made_up_for(old_tool, query, monkeypatch) -> None:
    old_tool(0, FULL)
    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", Mock(side_effect=OSError(30, "Read-only file system")))
        with pytest.raises(OutcomesError, match="cannot move"):
            old_tool(8)
    again = old_tool(8.1)
    assert (again.unchanged, again.archived is not None) == (3, True)
    assert query("select count(*) from legacy_model_stats") == [(3,)]

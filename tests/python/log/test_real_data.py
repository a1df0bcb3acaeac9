"""Real outcomes go in without loss: every figure here was counted from the files, not by the loader."""

import gzip
import json
import math
from collections import Counter
from pathlib import Path

import pytest

from model_outcomes.intake import legacy, loads
from model_outcomes.log import store


@pytest.fixture(scope="module")
def attempts(real_data: Path) -> list[dict]:
    """The real attempts, read by the standard library."""
    with gzip.open(real_data / "openhands-index.jsonl.gz", "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.fixture(scope="module")
def loaded(real_data: Path, tmp_path_factory: pytest.TempPathFactory):
    """A log with the real attempts in it, loaded twice; and what came of both loads."""
    connection = store.create_or_open(tmp_path_factory.mktemp("real") / "outcomes.db")
    file = str(real_data / "openhands-index.jsonl.gz")
    yield connection, [loads.load_file(connection, file) for _ in range(2)]
    connection.close()


def test_every_attempt_with_a_verdict_is_accepted_once(loaded) -> None:
    connection, (first, second) = loaded
    assert (first.accepted, first.duplicates, first.rejected) == (40_168, 0, 475)
    assert first.reasons == {"success: is null (no verdict)": 475}
    assert (second.accepted, second.duplicates, second.rejected) == (0, 0, 0)
    assert connection.execute("select count(*) from model_outcomes").fetchone() == (40_168,)


def test_each_refused_line_is_kept_with_the_same_reason(loaded, attempts: list[dict]) -> None:
    connection, _ = loaded
    kept = connection.execute(
        "select line_number, reasons, raw_text from rejected_outcomes order by rejected_id"
    ).fetchall()
    expected = [number for number, attempt in enumerate(attempts, 1) if attempt["success"] is None]
    assert [number for number, *_ in kept] == expected
    assert {reasons for _, reasons, _ in kept} == {'[{"field": "success", "problem": "is null (no verdict)"}]'}
    assert [json.loads(raw) for *_, raw in kept] == [attempts[number - 1] for number in expected]


def test_totals_are_exact(loaded) -> None:
    connection, _ = loaded
    assert connection.execute(
        "select count(distinct task_type || char(0) || model_id), sum(success), sum(1 - success),"
        " sum(cast(floor(cost_usd * 1e9 + 0.5) as integer)), sum(cost_usd = 0 and cost_source is null)"
        " from model_outcomes"
    ).fetchone() == (170, 25_596, 14_572, 37_810_985_653_408, 435)


def test_every_cell_is_as_in_the_file(loaded, attempts: list[dict]) -> None:
    connection, _ = loaded
    counts: Counter[tuple[str, str, bool]] = Counter()
    costs: Counter[tuple[str, str]] = Counter()
    for attempt in attempts:
        if attempt["success"] is not None:
            cell = attempt["task_type"], attempt["model_id"]
            counts[(*cell, attempt["success"])] += 1
            costs[cell] += math.floor((attempt.get("cost_usd") or 0) * 1e9 + 0.5)
    by_verdict = "select task_type, model_id, success, count(*) from model_outcomes group by 1, 2, 3"
    assert {(a, b, bool(c)): n for a, b, c, n in connection.execute(by_verdict)} == counts
    cost = "sum(cast(floor(cost_usd * 1e9 + 0.5) as integer))"
    by_cell = f"select task_type, model_id, {cost} from model_outcomes group by 1, 2"
    assert {(a, b): n for a, b, n in connection.execute(by_cell)} == costs


def test_real_aggregates_are_balances_to_the_nano_dollar(real_data: Path, database: Path) -> None:
    connection = store.create_or_open(database)
    file = real_data / "aider-model-performance.json"
    assert legacy.import_file(connection, file).added == 250
    again = legacy.import_file(connection, file)
    assert (again.added, again.unchanged, again.faults) == (0, 250, {})
    columns = "successes), sum(failures), sum(timeouts), sum(total_tokens), sum(total_cost_nano_usd"
    assert connection.execute(f"select count(*), sum({columns}) from legacy_model_stats").fetchone() == (
        250, 28_104, 23_213, 803, 106_677_960, 2_578_236_000_000,
    )  # fmt: skip
    connection.close()

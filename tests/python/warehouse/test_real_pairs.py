"""Strength at the same tasks over real outcomes: figures that a direct computation gave, to six decimals."""

import gzip
import json
from pathlib import Path

import pytest

from .conftest import Warehouse, empty_log

# Task type, number of models with a strength, and the strengths of some of them.
STRENGTHS = {
    "swe-bench": (34, {"claude-fable-5": 3.935625096, "claude-opus-4-8": 1.274763144, "claude-opus-4-7": 1.177093872,
                       "Nemotron-3-Nano": -3.122894593}),
    "gaia": (None, {"GPT-5.5": 2.193758738, "Gemini-3.5-Flash": 1.833107917, "GPT-5.4": 1.686357152}),
    "codex": (7, {"gpt-5.2": 1.346327693, "gpt-5.1-codex-max": 1.252430763}),
    "terminus-2": (20, {"claude-opus-4-5-20251101": 1.859226225, "gemini-3-pro-preview": 1.835436624}),
}  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Warehouse:
    """A log of both benchmarks. Each agent of the second one is a task type of its own."""
    warehouse = empty_log(tmp_path_factory.mktemp("real pairs"))
    warehouse.loader("load", "--max-rejects", "1000", real_data / "openhands-index.jsonl.gz")
    with gzip.open(real_data / "terminal-bench-2.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    warehouse.load({**row, "task_type": row["agent"]} for row in rows if row["agent"] in STRENGTHS)
    warehouse.build("+model_rankings", "+model_pairs")
    return warehouse


@pytest.mark.parametrize("task_type", STRENGTHS)
def test_the_strength_at_the_same_tasks_is_the_known_one(built: Warehouse, task_type: str) -> None:
    models, known = STRENGTHS[task_type]
    rows = built.query(
        "select model_id, same_task_strength, same_task_rank from model_rankings"
        " where task_type = ? and same_task_strength is not null order by same_task_rank",
        task_type,
    )
    strengths = {model: strength for model, strength, _ in rows}
    assert {model: strengths[model] for model in known} == pytest.approx(known, abs=1e-6)
    assert [rank for _, _, rank in rows] == list(range(1, len(rows) + 1))
    assert [strength for _, strength, _ in rows] == sorted(strengths.values(), reverse=True)
    assert models in (None, len(rows))
    best = [model for model in known if known[model] > 0]
    assert [model for model, _, _ in rows[: len(best)]] == best
    assert sum(strengths.values()) == pytest.approx(0, abs=1e-9)

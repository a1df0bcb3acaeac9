"""Every mart is the same on every engine: built from nothing, added to, and built from nothing again."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from model_outcomes.warehouse.marts import Column, Mart

from .comparing import differences
from .conftest import SCALARS, Log

ENGINES = ["duckdb", *(pytest.param(name, marks=pytest.mark.slow) for name in ("postgres", "spark"))]


Environment = Callable[[str, Path], dict[str, str]]


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, sample_logs: tuple[Log, Log], engine_environment: Environment) -> str:
    """An engine that has built the first part of the sample, then the rest on top of it."""
    target = str(request.param)
    first, whole = sample_logs
    first.environment = whole.environment = engine_environment(target, whole.database.parent)
    for log in (first, whole):
        log.export(target)
        log.build(target, *(["--unit-tests"] if log is first else []))
    return target


def differing(log: Log, target: str) -> list[str]:
    names = [mart.name for mart in log.marts]
    here, there = log.answers("sqlite", names), log.answers(target, names)
    return [each for mart in log.marts for each in differences(mart, here[mart.name], there[mart.name])]


def test_every_mart_has_rows_to_compare(sample_logs: tuple[Log, Log]) -> None:
    _, whole = sample_logs
    assert len(whole.marts) == 20
    answers = whole.answers("sqlite", [mart.name for mart in whole.marts])
    assert [name for name, rows in answers.items() if not rows] == []


def test_every_cell_of_every_mart_agrees(sample_logs: tuple[Log, Log], engine: str) -> None:
    assert differing(sample_logs[1], engine) == []


def test_sums_above_64_bits_are_exact(sample_logs: tuple[Log, Log], engine: str) -> None:
    (stats,) = [
        row for row in sample_logs[1].answers(engine, ["model_stats"])["model_stats"] if row["model_id"] == "dear"
    ]
    # 10,000 outcomes of $1,000,000 and 10^12 tokens, less the void ones; 200 balances of $10^8, 10^15 tokens and 10 to
    # 209 successes.
    verdicts = Counter(sample_logs[1].verdicts("dear"))
    outcomes = verdicts["success"] + verdicts["failure"]
    assert 9_000 < outcomes < 10_000 == verdicts.total()
    assert stats["total_cost"] == outcomes * 10**6 + 200 * 10**8
    assert stats["total_tokens"] == outcomes * 10**12 + 200 * 10**15
    assert stats["successes"] == verdicts["success"] + sum(range(10, 210))


def test_scalar_macros_give_what_was_worked_out_by_hand(sample_logs: tuple[Log, Log], engine: str) -> None:
    (row,) = sample_logs[1].answers(engine, ["scalar_cases"])["scalar_cases"]
    assert dict(zip((call for call, _ in SCALARS), row.values(), strict=True)) == dict(SCALARS)


@pytest.mark.slow
def test_a_full_refresh_changes_nothing(sample_logs: tuple[Log, Log], engine: str) -> None:
    sample_logs[1].build(engine, "--full-refresh")
    assert differing(sample_logs[1], engine) == []


@pytest.mark.parametrize(
    ("cell", "there"),
    [
        ("trials", 8),
        ("trials", 7.0),
        ("model_id", "Able"),
        ("rate", 0.5 + 1e-9),
        ("rate", None),
        ("total_cost", 0.1 + 1e-16),
    ],
)
def test_a_cell_that_differs_is_told(cell: str, there: object) -> None:
    row = {"model_id": "able", "trials": 7, "rate": 0.5, "total_cost": 0.1}
    mart = Mart("mart", "", tuple(Column(name, None, "") for name in row), ("model_id",))
    assert differences(mart, [row], [{**row, "rate": 0.5 + 1e-12}]) == []
    assert differences(mart, [row], [{**row, cell: there}]) != []
    assert differences(mart, [row], []) == ["mart: ('able',) is missing there"]

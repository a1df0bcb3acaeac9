"""The queries of analyses/ run, and the guides print each of them: the same rows for the same question."""

import os
import re
import sqlite3
import subprocess
import sys
from datetime import date, timedelta

import pytest

from .conftest import PROJECT, Warehouse, outcome

ANALYSES = sorted(path.stem for path in (PROJECT / "analyses").glob("*.sql"))


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Two models at two task types over 60 days, and an experiment between them."""
    folder = tmp_path_factory.mktemp("analyses")
    warehouse = Warehouse(project=PROJECT, database=folder / "outcomes.db")
    warehouse.load(
        outcome(
            task_type=task_type,
            model_id=model_id,
            success=(day * 7 + number) % 5 < 4 - number,
            cost_usd=0.01 * number,
            timestamp=f"{date(2026, 2, 1) + timedelta(days=day)}T12:00:00Z",
        )
        for day in range(60)
        for task_type in ("code", "prose")
        for number, model_id in enumerate(["able", "baker"])
    )
    warehouse.loader("build", "--quiet")
    environment = {
        **os.environ,
        "OUTCOMES_DB": str(warehouse.database),
        "OUTCOMES_SCHEMAS": str(folder / "none"),
        "DBT_TARGET_PATH": str(folder / "target"),
        "DBT_LOG_PATH": str(folder / "logs"),
    }
    command = [sys.executable, "-m", "dbt.cli.main", "--quiet", "compile", "--select", "path:analyses"]
    subprocess.run(command, cwd=PROJECT, env=environment, check=True, capture_output=True)
    return warehouse


def answers(warehouse: Warehouse, query: str) -> tuple[list[str], list[tuple]]:
    connection = sqlite3.connect(warehouse.database)
    cursor = connection.execute(query)
    rows = cursor.fetchall()
    connection.close()
    return [column[0] for column in cursor.description], rows


def compiled(warehouse: Warehouse, name: str) -> str:
    return next((warehouse.database.parent / "target" / "compiled").rglob(f"{name}.sql")).read_text()


@pytest.mark.parametrize("name", ANALYSES)
def test_a_guide_asks_what_the_analysis_asks(built: Warehouse, name: str) -> None:
    expected = answers(built, compiled(built, name))
    guides = "".join((PROJECT / "docs" / "guides" / name).read_text() for name in ("asking.md", "experiments.md"))
    queries = re.findall(r"^```sql\n(select.*?)^```", guides, re.M | re.S)
    assert any(answers(built, query) == expected for query in queries)


def test_the_dashboard_is_each_task_type_best_first(built: Warehouse) -> None:
    columns, rows = answers(built, compiled(built, "dashboard"))
    found = [(row[0], row[1], row[2]) for row in rows]
    assert columns[:3] == ["task_type", "rank", "model_id"]
    assert found == [("code", 1, "able"), ("code", 2, "baker"), ("prose", 1, "able"), ("prose", 2, "baker")]


def test_the_trend_covers_thirty_days(built: Warehouse) -> None:
    _, rows = answers(built, compiled(built, "trend_30_days"))
    days = {row[0] for row in rows}
    assert (len(days), max(days)) == (30, "2026-04-01")
    assert len(rows) == 30 * 4


def test_the_export_has_the_cells_with_ten_outcomes(built: Warehouse) -> None:
    built.write(
        "insert into model_outcomes (task_type, model_id, success, timestamp) values ('new', 'able', 1, ?)",
        "2026-03-01T00:00:00Z",
    )
    _, rows = answers(built, compiled(built, "high_confidence_export"))
    assert {(row[0], row[1], row[2] + row[3]) for row in rows} == {
        (task_type, model_id, 60) for task_type in ("code", "prose") for model_id in ("able", "baker")
    }
    assert [row[5] for row in rows] == sorted((row[5] for row in rows), reverse=True)

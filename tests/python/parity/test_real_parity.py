"""Every mart is the same on every engine, of forty thousand real attempts and the totals of an older tool."""

from pathlib import Path

import pytest

from .conftest import Log, copy_of_project
from .test_parity import Environment, differing


@pytest.fixture(scope="module")
def real_log(tmp_path_factory: pytest.TempPathFactory, real_data: Path) -> Log:
    folder = tmp_path_factory.mktemp("real")
    log = Log(folder / "outcomes.db", copy_of_project(folder / "project"))
    log.loader("load", "--max-rejects", 1_000, real_data / "openhands-index.jsonl.gz")
    log.loader("import-legacy", real_data / "aider-model-performance.json")
    log.build()
    return log


@pytest.mark.slow
@pytest.mark.parametrize("target", ["duckdb", "postgres", "spark"])
def test_every_cell_agrees(real_log: Log, target: str, engine_environment: Environment) -> None:
    real_log.environment = engine_environment(target, real_log.database.parent)
    real_log.export(target)
    real_log.build(target)
    assert differing(real_log, target) == []
    # Both sides agree: SQLite's says that there was something to compare, and takes no cluster.
    assert sum(row["trials"] for row in real_log.answers("sqlite", ["model_stats"])["model_stats"]) > 80_000

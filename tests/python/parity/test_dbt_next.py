"""The next dbt builds the same marts on DuckDB, in an environment of its own (`make test-dbt-next`)."""

import os
import re
from pathlib import Path

import pytest

from .conftest import ROOT, Log
from .test_parity import differing

PYTHON = os.environ.get("OUTCOMES_DBT_NEXT")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not PYTHON, reason="dbt-core 1.12 has an environment of its own: make test-dbt-next"),
]


@pytest.fixture(scope="module")
def built(sample_logs: tuple[Log, Log]) -> Log:
    """A log that the next dbt has built on DuckDB, with all unit tests, and then added to."""
    first, whole = sample_logs
    folder = whole.database.parent
    environment = {
        "PYTHONPATH": str(ROOT),
        "OUTCOMES_PARQUET": str(folder / "parquet for dbt"),
        "OUTCOMES_DUCKDB": str(folder / "next.duckdb"),
    }
    for log in sample_logs:
        log.environment = environment
        log.export("duckdb")
        log.python = str(Path(str(PYTHON)).absolute())
        log.build("duckdb", *(["--unit-tests"] if log is first else []))
    return whole


def test_every_cell_of_every_mart_agrees(built: Log) -> None:
    assert differing(built, "duckdb") == []


def test_all_nodes_and_unit_tests_pass_without_a_warning(sample_logs: tuple[Log, Log], built: Log) -> None:
    for log in sample_logs:
        log_text = log.said("duckdb")
        assert "Running with dbt=1.12." in log_text
        assert re.search(r"Done\. PASS=\d+ WARN=0 ERROR=0 SKIP=0 ", log_text)
        assert re.findall(r".*\[(?:warn|error) *\].*|.*\[WARNING\].*", log_text) == []
    assert len(re.findall(r"PASS .*::", sample_logs[0].said("duckdb"))) > 80

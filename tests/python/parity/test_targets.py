"""What has to be there before an engine can build or answer is said in one line."""

import subprocess
import sys
from pathlib import Path

import pytest

from model_outcomes.base import engines
from model_outcomes.warehouse.engines import connections, log_tables

from ..conftest import Invoke
from .test_parquet_log import outcomes, write

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("build", "--target", "duckdb"), "run `loader export-log --to parquet`"),
        (("stats", "--target", "duckdb"), "run `loader export-log --to parquet`"),
        (("export-log", "--to", "postgres"), "set OUTCOMES_POSTGRES to its DSN"),
        (("build", "--target", "oracle"), "'sqlite', 'duckdb', 'postgres', 'spark'"),
        (("export-log",), "Missing option '--to'"),
    ],
)
def test_what_is_missing_is_said(database: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch,
                                 arguments: tuple[str, ...], said: str) -> None:  # fmt: skip
    for name in ("OUTCOMES_PARQUET", "OUTCOMES_POSTGRES", "OUTCOMES_DUCKDB"):
        monkeypatch.delenv(name, raising=False)
    write(database, *outcomes(1))
    done = invoke(*arguments)
    assert (done.exit_code, said in done.output) == (2, True), done.output


def test_an_exported_log_that_was_not_built_has_no_answers(database: Path, invoke: Invoke) -> None:
    write(database, *outcomes(1))
    invoke("export-log", "--to", "parquet")
    done = invoke("rank", "code", "--target", "duckdb")
    assert (done.exit_code, len(done.output.splitlines())) == (2, 1)
    assert "run `loader build --target duckdb`" in done.output


def test_an_engine_that_is_not_installed_is_named(database: Path, invoke: Invoke,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr("importlib.util.find_spec", lambda name, package=None: None)
    write(database, *outcomes(1))
    done = invoke("stats", "--target", "duckdb")
    assert (done.exit_code, "make setup EXTRAS=duckdb" in done.output) == (2, True)
    done = invoke("export-log", "--to", "parquet")
    assert (done.exit_code, "make setup EXTRAS=parquet" in done.output) == (2, True)


def test_every_source_of_the_project_goes_along() -> None:
    import yaml

    (source,) = yaml.safe_load((ROOT / "models/staging/_staging__sources.yml").read_text())["sources"]
    assert {table["name"] for table in source["tables"]} == {log_tables.LOG, *log_tables.OTHER_TABLES}


def test_every_target_has_a_profile() -> None:
    import yaml

    outputs = yaml.safe_load((ROOT / "profiles.yml").read_text())["model_outcomes"]["outputs"]
    assert tuple(outputs) == engines.TARGETS


def test_spark_is_asked_by_the_settings_of_the_profile(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OUTCOMES_SPARK_MASTER", raising=False)
    monkeypatch.setenv("OUTCOMES_SPARK_PARTITIONS", "64")
    settings = connections.spark_settings({"OUTCOMES_SPARK": "/shared/tables of ours"})
    assert settings["spark.sql.warehouse.dir"] == "/shared/tables of ours/tables"
    assert settings["spark.master"] == "local[*]"
    assert settings["spark.sql.shuffle.partitions"] == "64"
    assert not [name for name, value in settings.items() if "{{" in value]


def test_a_duckdb_file_that_is_being_built_is_busy(database: Path, invoke: Invoke) -> None:
    write(database, *outcomes(1))
    invoke("export-log", "--to", "parquet")
    script = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", script, f"{database}.duckdb"],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        done = invoke("rank", "code", "--target", "duckdb")
    finally:
        holder.communicate()
    assert (done.exit_code, len(done.output.splitlines())) == (75, 1)
    assert "try again later" in done.output

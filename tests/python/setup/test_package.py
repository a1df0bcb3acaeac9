"""The package alone, as an agent installs it: without dbt, small, and of use on a database built elsewhere."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from model_outcomes import ModelOutcomes

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[3]
LIMIT = 10_000_000  # bytes


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package") / "venv"
    uv = ROOT / ".tools" / "bin" / "uv"
    if not uv.exists():
        pytest.skip("uv is not fetched: `make setup` does it")
    source = folder.parent / "source"
    ignored = shutil.ignore_patterns(".*", "data", "target", "__pycache__")
    shutil.copytree(ROOT, source, ignore=ignored)
    subprocess.run([uv, "--quiet", "venv", "--python", os.path.realpath(sys.executable), folder], check=True)
    install = [str(uv), "--quiet", "pip", "install", "--python", str(folder / "bin" / "python"), "."]
    done = subprocess.run(install, cwd=source, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no index to install from: {done.stderr.strip()[-200:]}")
    return folder


def test_it_is_small_and_brings_no_dbt(environment: Path) -> None:
    (packages,) = environment.glob("lib/python*/site-packages")
    names = {path.name for path in packages.iterdir()}
    assert not {name for name in names if name.startswith(("dbt", "pyarrow", "duckdb", "agate"))}
    assert {"loader", "model_outcomes", "click", "msgspec"} <= names
    assert (packages / "model_outcomes" / "publish" / "report" / "page" / "page.html").is_file()
    assert sum(path.stat().st_size for path in packages.rglob("*") if path.is_file()) < LIMIT


def test_it_records_and_asks_on_a_database_that_was_built_elsewhere(environment: Path, tmp_path: Path) -> None:
    database = tmp_path / "outcomes.db"
    with ModelOutcomes(database) as outcomes:
        for _ in range(5):
            outcomes.record("coding", "alpha", True)
    main = "from loader.cli import main; main()"
    subprocess.run([sys.executable, "-c", main, "--db", database, "build", "--quiet"], check=True)

    def loader(*arguments: str) -> str:
        command = [str(environment / "bin" / "loader"), "--db", str(database), *arguments]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True).stdout

    loader("record", "--task-type", "coding", "--model-id", "alpha", "--failure")
    assert "83.3%" in loader("stats", "coding")
    assert "83.3%" in loader("rank", "coding")

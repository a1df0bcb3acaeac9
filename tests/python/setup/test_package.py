"""The package as a user installs it: alone, without dbt, small, and of use on a database built elsewhere; from its
wheel with dbt, where it builds without the checkout."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from model_outcomes import ModelOutcomes

pytestmark = [pytest.mark.slow, pytest.mark.dbt]

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


@pytest.fixture(scope="module")
def from_wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with nothing but the wheel and what its extras bring."""
    folder = tmp_path_factory.mktemp("wheel")
    uv = ROOT / ".tools" / "bin" / "uv"
    if not uv.exists():
        pytest.skip("uv is not fetched: `make setup` does it")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    (wheel,) = folder.glob("*.whl")
    environment = folder / "venv"
    subprocess.run([uv, "--quiet", "venv", "--python", os.path.realpath(sys.executable), environment], check=True)
    install = [str(uv), "--quiet", "pip", "install", "--python", str(environment / "bin" / "python")]
    for name in ("setup", "report"):
        install += ["--constraint", str(ROOT / "requirements" / f"{name}.txt")]
    done = subprocess.run(
        [*install, f"{wheel}[warehouse,report]"], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no index to install from: {done.stderr.strip()[-200:]}")
    return environment


def test_the_wheel_builds_ranks_and_reports_without_the_checkout(from_wheel: Path, tmp_path: Path) -> None:
    inherited = {name: value for name, value in os.environ.items()
                 if not name.startswith(("OUTCOMES_", "PYTHON", "DBT_"))}  # fmt: skip
    folder = tmp_path / "mine"

    def loader(*arguments: str, cwd: Path = folder) -> str:
        done = subprocess.run([from_wheel / "bin" / "loader", *arguments], cwd=cwd, capture_output=True, text=True,
                              env={**inherited, "HOME": str(tmp_path)}, check=False)  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    (packaged,) = from_wheel.glob("lib/python*/site-packages/model_outcomes/dbt_project")
    before = {path: path.stat().st_mtime_ns for path in packaged.rglob("*")}
    (tmp_path / "outcomes.csv").write_text(
        "task_type,model_id,success,timestamp\n"
        + "".join(f"code,{model},{number % 5 < wins},2026-03-{1 + number:02}T12:00:00Z\n"
                  for model, wins in (("able", 4), ("baker-2026", 2)) for number in range(20))
    )  # fmt: skip
    loader("init", "mine", cwd=tmp_path)
    with (folder / "seeds" / "model_aliases.csv").open("a") as file:
        file.write("baker-2026,baker\n")
    assert "40 accepted" in loader("load", "../outcomes.csv")
    loader("build", "--quiet")
    ranked = {
        row["model_id"]: (row["successes"], row["trials"]) for row in json.loads(loader("rank", "code", "--json"))
    }
    assert ranked == {"able": (16, 20), "baker": (8, 20)}
    loader("report", "-o", "report.html")
    assert "baker" in (folder / "report.html").read_text()
    assert {path: path.stat().st_mtime_ns for path in packaged.rglob("*")} == before

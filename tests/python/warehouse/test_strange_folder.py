"""No command runs code that lies where somebody works, on any Python."""

import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
MADE = {".venv", ".tools", ".git", "data", "runs", "target", "logs", "__pycache__"}
OURS_AND_OTHERS = [
    "loader", "model_outcomes", "dbt", "dbt_common", "dbt_adapters", "dbt_anything", "sitecustomize", "usercustomize",
    "agate", "altair", "click", "datasette", "filelock", "jinja2", "msgspec", "sample", "tomli", "uvicorn", "yaml",
]  # fmt: skip
RAN = 'open(__file__ + ".ran", "w").close()\nraise SystemExit("ran code of the working directory")\n'
PYTHONS = ["python3.10", "python3.11", "python3.12", "python3.13"]


def strange(folder: Path) -> Path:
    """Fill a folder with a module for each of Python's own names, and for those of packages in use."""
    folder.mkdir()
    for name in {*sys.stdlib_module_names, *OURS_AND_OTHERS} - {"this", "antigravity"}:
        (folder / f"{name}.py").write_text(RAN)
    for name in ("loader", "model_outcomes", "dbt"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text(RAN)
    (folder / "plugins").mkdir()
    (folder / "plugins" / "evil.py").write_text(RAN)
    (folder / "templates").mkdir()
    (folder / "templates" / "index.html").write_text("strange page")
    (folder / "metadata.json").write_text('{"title": "strange page"}')
    (folder / "dbt_project.yml").write_text("name: strange\nprofile: strange\n")
    (folder / "profiles.yml").write_text("strange: {outputs: {}}\n")
    (folder / "packages.yml").write_text("packages: [{local: plugins}]\n")
    (folder / ".env").write_text("OUTCOMES_PROJECT=.\n")
    return folder


def environment(folder: Path, **settings: str) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("OUTCOMES_", "PYTHON", "PYENV_"))}  # fmt: skip
    return {**kept, "HOME": str(folder), **settings}


def ran(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*.ran"))


def build(loader: Path, folder: Path, **settings: str) -> None:
    record = ["record", "--task-type", "code", "--model-id", "able", "--success"]
    for arguments in (record, ["build", "--quiet"], ["stats"]):
        done = subprocess.run(
            [loader, "--db", "log.db", *arguments], cwd=folder, env=environment(folder, **settings),
            capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
    assert ran(folder) == []


def test_a_build_in_a_strange_folder_runs_nothing_of_it(tmp_path: Path) -> None:
    build(Path(sys.prefix) / "bin" / "loader", strange(tmp_path / "strange"))


def test_dbt_looks_for_modules_in_no_folder_that_a_relative_path_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The user's PYTHONPATH is theirs, but what is empty or relative in it means the folder where they work."""
    from model_outcomes.warehouse import builds

    folder, theirs = strange(tmp_path / "strange"), tmp_path / "theirs"
    theirs.mkdir()
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(theirs), "", "plugins", "."]))
    variables = builds._environment(tmp_path / "log.db", tmp_path)
    shown = builds.CHILD.partition("from model_outcomes")[0] + "print(*sys.path, sep='\\n')"
    process = subprocess.run(
        [sys.executable, "-c", shown, str(ROOT)], cwd=folder, env=variables, capture_output=True, text=True, check=True
    )
    paths = [Path(path) for path in process.stdout.splitlines()]
    assert theirs in paths
    assert ROOT in paths
    assert [path for path in paths if folder in (path, *path.parents) or not path.is_absolute()] == []


@pytest.fixture(params=PYTHONS)
def installed(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """The command `loader` of a fresh checkout, installed with the locked requirements for a Python."""
    python = working(request.param)
    if python is None:
        pytest.skip(f"there is no {request.param} in the path")
    checkout = tmp_path / "checkout"
    shutil.copytree(ROOT, checkout, ignore=lambda _, names: {name for name in names if name in MADE})
    done = subprocess.run(
        [python, "requirements/install.py"], cwd=checkout, capture_output=True, text=True, timeout=1800,
        env={**os.environ, "UV_SYSTEM_CERTS": "1", "UV_PYTHON_DOWNLOADS": "never"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return checkout / ".venv" / "bin" / "loader"


def working(name: str) -> str | None:
    """A Python's path, None if there is none or its name leads to another."""
    path = shutil.which(name)
    if path is None:
        return None
    said = subprocess.run([path, "-c", "import sys; print(sys.executable)"], capture_output=True, text=True)
    if said.returncode == 0:
        return said.stdout.strip()
    # pyenv's names lead to the versions that are chosen, and to the others by their number.
    root = Path(path).parent.parent / "versions"
    found = sorted(root.glob(f"{name.removeprefix('python')}.*/bin/{name}"))
    return str(found[-1]) if found else None


@pytest.mark.slow
def test_a_build_runs_nothing_of_a_strange_folder_on_each_python(installed: Path, tmp_path: Path) -> None:
    folder = strange(tmp_path / "strange")
    build(installed, folder)
    described = subprocess.run(
        [installed, "--db", "log.db", "docs"], cwd=folder, env=environment(folder), capture_output=True, text=True
    )
    assert described.returncode == 0, described.stderr
    assert ran(folder) == []


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A strange folder in which a snapshot is served, and the address."""
    folder = strange(tmp_path / "strange")
    loader = Path(sys.prefix) / "bin" / "loader"
    build(loader, folder)
    subprocess.run([loader, "--db", "log.db", "run", "--no-report"], cwd=folder, env=environment(folder), check=True,
                   capture_output=True)  # fmt: skip
    process = subprocess.Popen([loader, "--db", "log.db", "serve", "--port", "0"], cwd=folder, env=environment(folder),
                               stdout=subprocess.PIPE, text=True)  # fmt: skip
    with process:
        yield folder, process.stdout.readline().split(" on ")[1].split()[0]
        process.kill()


@pytest.mark.slow
def test_the_server_takes_nothing_from_a_strange_folder(served: tuple[Path, str]) -> None:
    folder, address = served
    with urllib.request.urlopen(address, timeout=60) as answer:
        page = answer.read().decode()
    assert "Model outcomes" in page
    assert "strange page" not in page
    assert ran(folder) == []

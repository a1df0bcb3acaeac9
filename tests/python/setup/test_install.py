"""What set-up does when: a stand-in for uv writes down what it is asked, and installs nothing."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
STAND_IN = """#!/bin/sh
if [ "$*" = "cache dir" ]; then echo "$CACHE"; exit; fi
mkdir -p .venv
echo "$UV_DEFAULT_INDEX $* ${UV_CACHE_DIR:+into $UV_CACHE_DIR}" >> asked
case "$*" in *"$REFUSED"*) exit 1 ;; esac
"""


# Where uv has been told of an index, set-up need not ask pip, which takes its time.
OWN_INDEX = "https://own.invalid/simple"
SETTINGS = {"UV_DEFAULT_INDEX": OWN_INDEX, "REFUSED": "nothing"}


class Checkout:
    """A checkout that holds set-up alone, its uv already fetched."""

    def __init__(self, root: Path) -> None:
        self.root = root
        shutil.copytree(ROOT / "requirements", root / "requirements")
        shutil.copy(ROOT / "pyproject.toml", root)
        (root / ".tools/bin").mkdir(parents=True)
        shutil.copy(root / "requirements/bootstrap.txt", root / ".tools")
        (root / ".tools/bin/uv").write_text(STAND_IN)
        (root / ".tools/bin/uv").chmod(0o755)

    def set_up(self, *extras: str, **settings: str) -> tuple[list[str], str]:
        """Set up; return the commands that uv was given, and stderr."""
        asked = self.root / "asked"
        asked.unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, self.root / "requirements/install.py", *extras],
            env={**SETTINGS, "CACHE": str(self.root / "not/there/yet"), **settings},
            cwd=self.root,
            capture_output=True,
            text=True,
            check=False,
        )
        commands = asked.read_text().splitlines() if asked.exists() else []
        return [each.replace(f"{self.root}/", "").strip() for each in commands], done.stderr


@pytest.fixture
def checkout(tmp_path):
    return Checkout(tmp_path / "a folder")


def verbs(commands: list[str]) -> list[str]:
    """Return what each command does: venv, sync or install."""
    return [next(w for w in each.split() if w in ("venv", "sync", "install")) for each in commands]


def test_the_first_call_installs_and_the_second_one_asks_for_nothing(checkout):
    commands, said = checkout.set_up()
    assert verbs(commands) == ["venv", "sync", "install"]
    assert "--require-hashes requirements/setup.txt" in commands[1]
    assert "--no-deps --no-build-isolation --editable" in commands[2]
    assert said.count("\n") == 1
    assert checkout.set_up() == ([], "")


@pytest.mark.parametrize("changed", ["pyproject.toml", "requirements/setup.txt"])
def test_a_changed_file_is_installed_into_the_same_venv(checkout, changed):
    checkout.set_up()
    with (checkout.root / changed).open("a") as file:
        file.write("# changed\n")
    assert verbs(checkout.set_up()[0]) == ["sync", "install"]


def test_a_moved_checkout_gets_a_venv_afresh(checkout):
    checkout.set_up()
    checkout.root = checkout.root.rename(checkout.root.with_name("elsewhere"))
    assert verbs(checkout.set_up()[0]) == ["venv", "sync", "install"]


def test_another_python_gets_a_venv_afresh(checkout):
    checkout.set_up()
    stamp = checkout.root / ".venv/installed.json"
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "python": "Python 3.9 of /usr"}))
    assert verbs(checkout.set_up()[0]) == ["venv", "sync", "install"]


def test_extras_come_on_top_and_stay(checkout):
    checkout.set_up()
    (sync, _), _ = checkout.set_up("spark")
    assert sync.endswith("requirements/setup.txt requirements/spark.txt")
    assert checkout.set_up() == ([], "")
    (sync, _), _ = checkout.set_up("duckdb")
    assert sync.endswith("requirements/setup.txt requirements/duckdb.txt requirements/spark.txt")


def test_an_unknown_extra_is_named_beside_those_there_are(checkout):
    commands, said = checkout.set_up("sparc")
    assert commands == []
    assert said == "EXTRAS: no sparc; there are duckdb, explore, parquet, postgres, privacy, report, spark\n"


def test_a_set_up_that_failed_is_done_again(checkout):
    commands, said = checkout.set_up(REFUSED="sync")
    assert verbs(commands) == ["venv", "sync"]
    assert said.endswith("Set-up stopped: uv failed, see above.\n")
    assert verbs(checkout.set_up()[0]) == ["venv", "sync", "install"]


def test_the_index_of_pip_is_told_to_uv_unless_uv_has_its_own(checkout):
    mirror = "https://mirror.invalid/simple"
    commands, _ = checkout.set_up(PIP_INDEX_URL=mirror, UV_DEFAULT_INDEX="")
    assert [command.split()[0] for command in commands] == [mirror] * 3
    shutil.rmtree(checkout.root / ".venv")
    commands, _ = checkout.set_up(PIP_INDEX_URL=mirror)
    assert [command.split()[0] for command in commands] == [OWN_INDEX] * 3


def test_a_cache_that_cannot_be_made_is_replaced_by_one_of_the_checkout(checkout):
    commands, _ = checkout.set_up()
    assert all("into" not in command for command in commands)
    shutil.rmtree(checkout.root / ".venv")
    commands, _ = checkout.set_up(CACHE="pyproject.toml/cache")
    assert commands
    assert all(command.endswith("into .tools/cache") for command in commands)

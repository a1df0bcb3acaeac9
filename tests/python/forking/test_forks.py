"""A process that is to run dbt leaves its work to a fork, which does all that is seen of it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ..conftest import PROJECT, python_path

pytestmark = [
    pytest.mark.dbt,
    pytest.mark.skipif("not os.path.exists(os.environ.get('FORKED_DBT', ''))", reason="nothing to fork was started"),
]

CODE = """
# import dbt_process
import os, sys, time
print("dbt.cli.main" in sys.modules, os.getcwd(), os.environ["NAME"], sys.argv, sys.stdin.readline(), flush=True)
print("caf\\u00e9", file=sys.stderr)
{}
"""


def start(folder: Path, ending: str, **environment: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", CODE.format(ending), "one", "two"], cwd=folder, text=True, stdin=subprocess.PIPE,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": python_path(PROJECT), "NAME": "a name", **environment},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ending", "code"), [("", 0), ("sys.exit(3)", 3), ("sys.exit('a fault')", 1), ("1 / 0", 1), ("os._exit(5)", 1)]
)
def test_a_fork_has_the_streams_the_folder_the_environment_and_the_exit_code(
    tmp_path: Path, ending: str, code: int
) -> None:
    stdout, stderr = start(tmp_path, ending).communicate("a line\n", timeout=60)
    assert stdout == f"True {tmp_path} a name ['-c', 'one', 'two'] a line\n\n"
    assert stderr.startswith("café\n")
    assert ("a fault" in stderr, "ZeroDivisionError" in stderr) == ("fault" in ending, "/" in ending)
    process = start(tmp_path, ending)
    process.communicate("a line\n", timeout=60)
    assert process.returncode == code


def test_without_the_process_that_has_imported_dbt_each_does_its_own_work(tmp_path: Path) -> None:
    process = start(tmp_path, "os._exit(5)", FORKED_DBT=str(tmp_path / "none"))
    stdout, _ = process.communicate("a line\n", timeout=60)
    assert (stdout.split()[0], process.returncode) == ("False", 5)


def test_a_fork_ends_with_the_process_that_it_works_for(tmp_path: Path) -> None:
    process = start(tmp_path, "print(os.getpid(), flush=True); time.sleep(60)")
    assert process.stdin
    assert process.stdout
    process.stdin.write("a line\n")
    process.stdin.flush()
    fork = int([process.stdout.readline() for _ in range(3)][-1])
    assert fork != process.pid
    process.send_signal(signal.SIGKILL)
    process.wait()
    deadline = time.monotonic() + 20
    while is_running(fork):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Return False for a zombie, too."""
    try:
        os.kill(pid, 0)
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (ProcessLookupError, FileNotFoundError):
        return False

"""Servers that tests start on loopback: PostgreSQL from the system's packages, a Spark cluster from pyspark's."""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

# The quick compiler alone, and one thread for garbage: these JVMs live for minutes and share two cores.
SHORT_LIVED = {"SPARK_LOCAL_IP": "127.0.0.1", "JAVA_TOOL_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def postgres_program(name: str) -> str:
    """A program of PostgreSQL's server; Debian keeps those out of the path."""
    found = shutil.which(name) or next(
        (str(path) for path in sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)), None
    )
    if not found:
        pytest.skip(f"PostgreSQL's {name} is not here: apt-get install postgresql")
    return found


@contextmanager
def postgres() -> Iterator[str]:
    """The DSN of a PostgreSQL server of its own on loopback, gone afterwards: it does not run as root."""
    pytest.importorskip("psycopg2", reason="psycopg2 is not installed: make setup EXTRAS=postgres")
    folder = Path(tempfile.mkdtemp(prefix="outcomes-postgres-"))
    who: dict[str, Any] = {"user": "nobody", "group": "nogroup", "extra_groups": []} if os.geteuid() == 0 else {}
    if who:
        shutil.chown(folder, "nobody", "nogroup")
    port = free_port()

    def call(program: str, *arguments: str) -> None:
        command = [postgres_program(program), "-D", str(folder / "data"), *arguments]
        log = (folder / "log").open("a")
        subprocess.run(command, cwd=folder, check=True, stdout=log, stderr=log, env={"PATH": os.environ["PATH"]}, **who)

    try:
        call("initdb", "-A", "trust", "-U", "outcomes", "--locale=C", "-E", "UTF8", "--no-sync")
        call("pg_ctl", "-w", "-o", f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off", "start")
        try:
            yield f"postgresql://outcomes@127.0.0.1:{port}/postgres"
        finally:
            call("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder)


class Cluster:
    """A standalone Spark cluster on loopback: a master, and workers of one core each."""

    def __init__(self, folder: Path) -> None:
        pyspark = pytest.importorskip("pyspark", reason="Spark is not installed: make setup EXTRAS=spark")
        self.folder, self.home = folder, Path(pyspark.__file__).parent
        self.port = free_port()
        self.master_url = f"spark://127.0.0.1:{self.port}"
        self.processes = [self._start("master.Master", "--port", str(self.port))]
        self._await("master", "I have been elected leader")
        self.workers = [self._start_worker(number) for number in range(2)]

    def _start_worker(self, number: int) -> "subprocess.Popen[bytes]":
        worker = self._start("worker.Worker", "--cores", "1", "--memory", "2g", "--work-dir",
                             str(self.folder / "work"), self.master_url, log=f"worker{number}")  # fmt: skip
        self._await(f"worker{number}", "Successfully registered with master")
        return worker

    def _start(self, role: str, *arguments: str, log: str = "master") -> "subprocess.Popen[bytes]":
        command = [self.home / "bin" / "spark-class", f"org.apache.spark.deploy.{role}", "--host", "127.0.0.1",
                   "--webui-port", "0", *arguments]  # fmt: skip
        with (self.folder / f"{log}.log").open("ab") as output:
            return subprocess.Popen(
                [str(part) for part in command], stdout=output, stderr=output,
                env={**os.environ, "SPARK_HOME": str(self.home), **SHORT_LIVED},
            )  # fmt: skip

    def _await(self, log: str, text: str) -> None:
        deadline = time.monotonic() + 120
        while text not in (self.folder / f"{log}.log").read_text(errors="replace"):
            assert time.monotonic() < deadline, (self.folder / f"{log}.log").read_text()[-2000:]
            time.sleep(0.2)

    def executors_of(self, worker: int) -> list[int]:
        """Processes that a worker has started for the application that runs."""
        found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.workers[worker].pid)],
                               capture_output=True, text=True, check=False)  # fmt: skip
        return [int(pid) for pid in found.stdout.split()]

    def kill(self, worker: int) -> None:
        """A machine that is gone: the worker and what ran on it."""
        for pid in (*self.executors_of(worker), self.workers[worker].pid):
            os.kill(pid, signal.SIGKILL)
        self.workers[worker].wait()

    def stop(self) -> None:
        for process in (*self.workers, *self.processes):
            process.kill()
            process.wait()

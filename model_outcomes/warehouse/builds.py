"""dbt on one database: where the dbt project is, one build at a time, and what came of it."""

from __future__ import annotations

import importlib.util
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_outcomes.base import dbt_vars, locks, paths
from model_outcomes.base.engines import SQLITE
from model_outcomes.base.errors import BuildError, NotInstalledError, OutcomesError
from model_outcomes.log import store
from model_outcomes.warehouse.engines import parquet_log, targets

PATIENCE = 10.0  # seconds that dbt has to end when it is asked to
BUILD = ("build", "--exclude-resource-type", "unit_test")
FAILED = ("error", "fail", "runtime error")

ROOT = Path(__file__).resolve().parents[2]  # the checkout, or the folder of installed packages

# Python before 3.11 looks for modules in the working directory first, and nothing turns that off. So the first thing
# that dbt's process does is to forget all but absolute paths; `sys` and `os` are there before it.
CHILD = """
import os, sys
sys.path[:] = [path for path in sys.path if os.path.isabs(path)]
if sys.argv[1] not in sys.path:
    sys.path.append(sys.argv[1])
from model_outcomes.warehouse import dbt_process
dbt_process.main(sys.argv[2])
"""


@dataclass(frozen=True)
class Command:
    """One command of dbt: its name and arguments, without those that say where things lie."""

    arguments: Sequence[str]
    fault: str | None = None
    success: bool = False


@dataclass(frozen=True)
class Node:
    """The result of one dbt model, seed or test."""

    name: str
    status: str
    seconds: float
    message: str | None


def project_folder() -> Path:
    """Return the dbt project: `OUTCOMES_PROJECT`, else the checkout that this package lies in."""
    named = os.environ.get("OUTCOMES_PROJECT")
    folder = Path(named) if named else ROOT
    if not (folder / "dbt_project.yml").is_file():
        raise OutcomesError(
            f"no dbt_project.yml in {folder.absolute()}: set OUTCOMES_PROJECT to the checkout of the project"
        )
    return folder.absolute()


def building(database: Path, purpose: str, target: str = SQLITE, *, wait: float = 0.0) -> AbstractContextManager[None]:
    """Hold the lock of builds: two runs of dbt on one file would break each other. Raises OutcomesError if the path of
    the database is not UTF-8, because dbt cannot open such a path."""
    paths.source_name(database)
    return locks.exclusive(paths.build_folder(database, target) / "lock", purpose, wait=wait)


def build(
    database: Path,
    target: str = SQLITE,
    *,
    full_refresh: bool = False,
    select: Sequence[str] = (),
    quiet: bool = False,
    unit_tests: bool = False,
    wait: float = 0.0,
    vars: Mapping[str, Any] | None = None,
) -> int:
    """Run `dbt build` on a database, or on the engine that its log was carried to; the number of dbt nodes that
    ran. dbt's unit tests are about the SQL and not about the data: they run where `unit_tests` asks for them.
    `vars` of the dbt project are for this build, beside those of `OUTCOMES_VARS`.

    Raises BusyError while another build holds the database, BuildError where a dbt model or test
    failed, and also where nothing ran: a selection that matches nothing is a mistake. Raises OutcomesError if a
    selection is to be built with other vars than the rest was.
    """
    project_folder()
    targets.check_places(database, target)
    with closing(store.create_or_open(database)) as connection:
        if target in targets.IN_PLACE:
            parquet_log.mend(connection, paths.parquet_log(database))
        if select and target == SQLITE:
            _expect_same_vars(connection, vars or {})
    arguments = ["--quiet"] if quiet else []
    arguments += ["build"] if unit_tests else BUILD
    arguments += ["--full-refresh"] if full_refresh else []
    arguments += ["--select", *" ".join(select).split()] if select else []
    logs = paths.build_folder(database, target) / "logs"
    with building(database, "a build", target, wait=wait):
        commands = [*targets.preparations(target), arguments]
        *prepared, command = run_dbt(database, commands, target, logs=logs, vars=vars)
        expect_prepared(prepared, logs, target)
        return len(expect_built(database, command, logs, target))


def run_dbt(
    database: Path,
    commands: Sequence[Sequence[str]],
    target: str = SQLITE,
    *,
    logs: Path,
    artifacts: Path | None = None,
    output: Any = None,
    quiet: bool = False,
    vars: Mapping[str, Any] | None = None,
) -> list[Command]:
    """Run commands of dbt, one after the other, and wait for them; call it within `building`.

    They run in one process of their own. Whatever ends the waiting, a signal too, ends that process: SQLite
    takes back what it had not committed. Its result files are removed first, so that a stale one is
    never read as this run's. `artifacts` is where dbt leaves them, else where builds do; `output` is
    the stream that dbt's own lines go to, else standard output; if `quiet`, only warnings and faults go there.
    The log file always has all of them. `vars` of the dbt project win over those of `OUTCOMES_VARS`.
    """
    if importlib.util.find_spec("dbt") is None:
        raise NotInstalledError("dbt", "warehouse")
    folder, project = paths.build_folder(database, target), project_folder()
    known = targets.environment(database, target)
    artifacts = artifacts or folder / "target"
    results = folder / "dbt_process.json"
    for stale in (results, artifacts / "run_results.json", artifacts / "sources.json"):
        stale.unlink(missing_ok=True)
    where = ["--project-dir", str(project), "--profiles-dir", str(project)]
    where += ["--target-path", str(artifacts), "--log-path", str(logs), "--target", target]
    where += ["--log-level", "warn"] if quiet else []
    given = _given_vars(vars)
    where += ["--vars", dbt_vars.as_yaml(given)] if given else []
    request = {
        "commands": [[*arguments, *where] for arguments in commands],
        "results": str(results),
        "lock": str(folder / "dbt.lock"),
        "log": str(database) if target == SQLITE else None,
    }
    _wait_for(
        [sys.executable, "-c", CHILD, str(ROOT), json.dumps(request)],
        {**_environment(database, folder), **known},
        project,
        output,
    )
    came = _read(results)
    if came is None:
        raise BuildError(f"dbt ended on {database.absolute()} before it had done anything: see {logs / 'dbt.log'}")
    return [Command(arguments, **each) for arguments, each in zip(commands, came, strict=True)]


def _given_vars(vars: Mapping[str, Any] | None) -> dict[str, Any]:
    return {**dbt_vars.from_json(os.environ.get(dbt_vars.VARIABLE)), **(vars or {})}


def _expect_same_vars(connection: sqlite3.Connection, vars: Mapping[str, Any]) -> None:
    """Raise OutcomesError if a var has another value than in the last build: the tables of a selection would show
    other intervals than the rest."""
    import yaml

    shipped = yaml.safe_load((project_folder() / "dbt_project.yml").read_text(encoding="utf-8")).get("vars", {})
    is_built = connection.execute("select 1 from sqlite_master where name = 'build_settings'").fetchone()
    built = connection.execute("select name, value from build_settings") if is_built else ()
    before, now = {**shipped, **dict(built)}, {**shipped, **_given_vars(vars)}
    for name in sorted((now.keys() & before.keys()) - {"now", "sequential_tuning_trials"}):
        if not _is_same(str(before[name]), str(now[name])):
            raise OutcomesError(
                f"{name} was {before[name]} in the last build and is {now[name]} now: build all, without --select"
            )


def _is_same(text: str, other: str) -> bool:
    try:
        return float(text) == float(other)
    except ValueError:
        return text == other


def expect_prepared(prepared: Sequence[Command], logs: Path, target: str) -> None:
    """Raises BuildError where a command that comes before a build (`targets.preparations`) failed."""
    for each in prepared:
        if not each.success:
            raise BuildError(f"dbt {each.arguments[1]} failed on {target}: see {logs / 'dbt.log'}")


def expect_built(database: Path, command: Command, logs: Path, target: str = SQLITE) -> list[Node]:
    """Return the nodes of a `dbt build` that went well; raises BuildError if it did not, or built nothing."""
    found = nodes(database, target)
    if not command.success:
        failed = [node.name for node in found or () if node.status in FAILED]
        if failed:
            more = f" and {len(failed) - 3} more" if len(failed) > 3 else ""
            said = f"failed on {database.absolute()}: {', '.join(failed[:3])}{more}; see {logs / 'dbt.log'}"
            raise BuildError(f"dbt build {said}")
        fault = " ".join((command.fault or "it did not say why").split())
        raise BuildError(f"dbt could not build {database.absolute()}: {fault} (see {logs / 'dbt.log'})")
    if found is None:
        raise BuildError("dbt wrote no run_results.json: nothing was built")
    if not found:
        raise BuildError("dbt ran nothing: no dbt model or test matches the selection")
    return found


def nodes(database: Path, target: str = SQLITE) -> list[Node] | None:
    """Return what the last `dbt build` ran, None if it left no results. Exposures, of which dbt takes note and no
    more, are left out."""
    results = _read(paths.build_folder(database, target) / "target" / "run_results.json")
    if results is None:
        return None
    return [
        Node(each["unique_id"].split(".")[2], each["status"], each["execution_time"], each["message"])
        for each in results["results"]
        if each["status"] != "no-op"
    ]


def _environment(database: Path, folder: Path) -> Mapping[str, str]:
    return {
        # To log every statement takes as long as most of them, some under the write lock.
        "DBT_LOG_LEVEL_FILE": "info",
        **os.environ,
        # Its lines pass the guard of `console`, which lets no control code through. NO_COLOR is not enough for dbt.
        "DBT_USE_COLORS": "false",
        # The user chooses what PYTHONPATH names, but an empty or relative entry means the working directory.
        "PYTHONPATH": os.pathsep.join(filter(os.path.isabs, os.environ.get("PYTHONPATH", "").split(os.pathsep))),
        "OUTCOMES_DB": str(database.absolute()),
        "OUTCOMES_SCHEMAS": str(folder / "schemas"),
    }


def _wait_for(command: Sequence[str], environment: Mapping[str, str], folder: Path, output: Any) -> None:
    """Run a command in `folder`, in a session of its own: a Ctrl-C is for this process, which then ends that one."""
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=output, start_new_session=True
    )
    try:
        process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        assert process.stdin is not None
        process.stdin.close()


def _read(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None

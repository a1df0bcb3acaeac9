"""Runs dbt on a database, one build at a time, and reads its results."""

from __future__ import annotations

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
from model_outcomes.base.errors import BuildError, OutcomesError, expect_installed
from model_outcomes.base.messages import first_names
from model_outcomes.log import store
from model_outcomes.warehouse import last_build, rules, workspace
from model_outcomes.warehouse.engines import parquet_log, targets

TERMINATION_TIMEOUT_S = 10.0  # after it, dbt is killed
BUILD = ("build", "--exclude-resource-type", "unit_test")
# dbt spends as much time on an unchanged view as on a small table. The tests of the views still run.
WITHOUT_VIEWS = ("--exclude", "config.materialized:view", "--indirect-selection", "empty")
FAILED_STATUSES = ("error", "fail", "runtime error")

ROOT = Path(__file__).resolve().parents[2]  # the checkout, or the folder of installed packages
PACKAGED = Path(__file__).resolve().parents[1] / "dbt_project"  # in a wheel: see pyproject.toml
PROJECT_FILE = "dbt_project.yml"

# Python before 3.11 looks for modules in the working directory first, and no option turns that off. So dbt's process
# first removes all relative paths; `sys` and `os` are loaded before that.
CHILD = """
import os, sys
sys.path[:] = [path for path in sys.path if os.path.isabs(path)]
if sys.argv[1] not in sys.path:
    sys.path.append(sys.argv[1])
from model_outcomes.warehouse import dbt_process
dbt_process.main(sys.argv[2])
"""


@dataclass(frozen=True)
class CommandResult:
    """The result of one dbt command: its arguments without paths and target, and dbt's error message if it failed."""

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
    """Return the dbt project: `OUTCOMES_PROJECT`, else the checkout that has this package, else what the package
    carries. Raises OutcomesError if it is missing."""
    named = os.environ.get("OUTCOMES_PROJECT")
    folder = Path(named) if named else ROOT if (ROOT / PROJECT_FILE).is_file() else PACKAGED
    if not (folder / PROJECT_FILE).is_file():
        raise OutcomesError(
            f"no dbt_project.yml in {folder.absolute()}: set OUTCOMES_PROJECT to the checkout of the project"
        )
    return folder.absolute()


def workspace_project(database: Path, target: str = SQLITE) -> Path:
    """Return where the dbt project of a database and the user's workspace meet, if there is a workspace."""
    return paths.build_folder(database, target) / "project"


def lock(database: Path, purpose: str, target: str = SQLITE, *, wait: float = 0.0) -> AbstractContextManager[None]:
    """Hold the lock of builds, because two runs of dbt on one file break each other.

    Raises BusyError if another process holds the lock for longer than `wait` seconds, and OutcomesError if the path of
    the database is not UTF-8, because dbt cannot open it.
    """
    paths.source_name(database)
    return locks.exclusive(paths.build_folder(database, target) / "lock", purpose, wait=wait)


def build(
    database: Path,
    target: str = SQLITE,
    *,
    force: bool = False,
    full_refresh: bool = False,
    select: Sequence[str] = (),
    exclude: Sequence[str] = (),
    quiet: bool = False,
    unit_tests: bool = False,
    wait: float = 0.0,
    vars: Mapping[str, Any] | None = None,
) -> int:
    """Run `dbt build` on a database, or on the engine that its log was exported to. Return the number of dbt nodes
    that ran: 0 if the last build is still current, unless `force` is set. `select` and `exclude` have dbt's syntax.
    dbt's unit tests check the SQL and not the data: they run only with `unit_tests`. `vars` of the dbt project apply to
    this build and win over those of `OUTCOMES_VARS`.

    Raises BusyError if another build holds the database for longer than `wait` seconds, BuildError if a dbt model or
    test failed, or if nothing ran: a selection that matches nothing is a mistake. Raises OutcomesError if a selection
    would be built with other vars than the last build.
    """
    project = project_folder()
    targets.check_places(database, target)
    with closing(store.create_or_open(database)) as connection:
        if target in targets.IN_PLACE:
            parquet_log.mend(connection, paths.parquet_log(database))
        if (select or exclude) and target == SQLITE:
            _expect_same_vars(connection, vars or {})
    arguments = ["--quiet"] if quiet else []
    arguments += ["build"] if unit_tests else BUILD
    arguments += ["--full-refresh"] if full_refresh else []
    arguments += ["--select", *" ".join(select).split()] if select else []
    arguments += ["--exclude", *" ".join(exclude).split()] if exclude else []
    logs = paths.build_folder(database, target) / "logs"
    with lock(database, "a build", target, wait=wait), closing(store.create_or_open(database)) as connection:
        watch = last_build.Watch(connection, database, target)
        is_current = watch.is_current(project, changed_vars(vars))
        is_whole = not {"--select", "--exclude"} & set(arguments)
        if is_whole and not (force or full_refresh or unit_tests):
            if is_current:
                return 0
            arguments += WITHOUT_VIEWS if watch.has_current_views else ()
        watch.begin()
        commands = [*targets.preparations(target), arguments]
        *preparations, command = run_dbt(database, commands, target, logs=logs, vars=vars)
        expect_prepared(preparations, logs, target)
        built = expect_built(database, command, logs, target)
        if is_whole:
            watch.end({node.status for node in built})
        watch.note()
        return len(built)


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
) -> list[CommandResult]:
    """Run dbt commands one after the other, and wait for them. Call it within `lock`.

    They run in one child process. If the waiting ends early, by a signal for example, the child process ends, too, and
    SQLite rolls back what it had not committed. Result files of an earlier run are removed first. `artifacts` is the
    folder for dbt's files (default: that of builds). `output` is the stream for dbt's lines (default: standard output);
    with `quiet` it gets only warnings and errors. The log file in `logs` gets all lines. `vars` of the dbt project win
    over those of `OUTCOMES_VARS`.
    """
    expect_installed("warehouse", "dbt")
    folder = paths.build_folder(database, target)
    variables = targets.environment(database, target)
    artifacts = artifacts or folder / "target"
    results = folder / "dbt_process.json"
    for stale in (results, *(artifacts / name for name in ("run_results.json", "sources.json", rules.FILE))):
        stale.unlink(missing_ok=True)
    project = workspace.project_of(project_folder(), workspace_project(database, target))
    options = ["--project-dir", str(project), "--profiles-dir", str(project)]
    options += ["--target-path", str(artifacts), "--log-path", str(logs), "--target", target]
    options += ["--log-level", "warn"] if quiet else []
    changed = changed_vars(vars)
    options += ["--vars", dbt_vars.as_yaml(changed)] if changed else []
    request = {
        "commands": [[*arguments, *options] for arguments in commands],
        "results": str(results),
        "rules": str(artifacts / rules.FILE),
        "lock": str(folder / "dbt.lock"),
    }
    _wait_for(
        [sys.executable, "-c", CHILD, str(ROOT), json.dumps(request)],
        {**_environment(database, folder), **variables},
        project,
        output,
    )
    command_results = _read(results)
    if command_results is None:
        raise BuildError(f"dbt ended on {database.absolute()} before it did anything: see {logs / 'dbt.log'}")
    return [CommandResult(arguments, **result) for arguments, result in zip(commands, command_results, strict=True)]


def changed_vars(vars: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the vars that differ from those of the dbt project: `vars`, and those of `OUTCOMES_VARS`."""
    return {**dbt_vars.from_json(os.environ.get(dbt_vars.VARIABLE)), **(vars or {})}


def _expect_same_vars(connection: sqlite3.Connection, vars: Mapping[str, Any]) -> None:
    """Raise OutcomesError if a var has another value than in the last build: the tables of a selection would show
    other intervals than the rest."""
    import yaml

    shipped = yaml.safe_load((project_folder() / "dbt_project.yml").read_text(encoding="utf-8")).get("vars", {})
    is_built = connection.execute("select 1 from sqlite_master where name = 'build_settings'").fetchone()
    built = connection.execute("select name, value from build_settings") if is_built else ()
    before, now = {**shipped, **dict(built)}, {**shipped, **changed_vars(vars)}
    for name in sorted((now.keys() & before.keys()) - {"now", "sequential_tuning_trials"}):
        if not _is_same(str(before[name]), str(now[name])):
            raise OutcomesError(
                f"{name} was {before[name]} in the last build and is {now[name]} now:"
                " build all, without --select or --exclude"
            )


def _is_same(text: str, other: str) -> bool:
    try:
        return float(text) == float(other)
    except ValueError:
        return text == other


def expect_prepared(preparations: Sequence[CommandResult], logs: Path, target: str) -> None:
    """Raise BuildError if a command before the build (`targets.preparations`) failed."""
    for command in preparations:
        if not command.success:
            raise BuildError(f"dbt {command.arguments[1]} failed on {target}: see {logs / 'dbt.log'}")


def expect_built(database: Path, command: CommandResult, logs: Path, target: str = SQLITE) -> list[Node]:
    """Return the nodes of a successful `dbt build`. Raises BuildError if it failed, or built nothing."""
    results = nodes(database, target)
    if not command.success:
        failed = [_with_rules(node) for node in results or () if node.status in FAILED_STATUSES]
        if failed:
            names = first_names(failed)
            raise BuildError(f"dbt build failed on {database.absolute()}: {names}; see {logs / 'dbt.log'}")
        fault = " ".join((command.fault or "no reason given").split())
        raise BuildError(f"dbt could not build {database.absolute()}: {fault} (see {logs / 'dbt.log'})")
    if results is None:
        raise BuildError("dbt wrote no run_results.json: nothing was built")
    if not results:
        raise BuildError("dbt ran nothing: no dbt model or test matches the selection")
    return results


def _with_rules(node: Node) -> str:
    """Return the name of a failed node, for a test of rules with the broken ones."""
    is_of_rules = node.message is not None and node.message.startswith(rules.BROKEN)
    return f"{node.name} ({node.message})" if is_of_rules else node.name


def nodes(database: Path, target: str = SQLITE) -> list[Node] | None:
    """Return the nodes that the last `dbt build` ran, None if it left no results. Exposures, which dbt does not
    run, and hooks are left out."""
    results = _read(paths.build_folder(database, target) / "target" / "run_results.json")
    if results is None:
        return None
    return [
        Node(node["unique_id"].split(".")[2], node["status"], node["execution_time"], node["message"])
        for node in results["results"]
        if node["status"] != "no-op" and not node["unique_id"].startswith("operation.")
    ]


def _environment(database: Path, folder: Path) -> Mapping[str, str]:
    return {
        # To log a statement takes as long as to run it, sometimes under the write lock.
        "DBT_LOG_LEVEL_FILE": "info",
        **os.environ,
        # `console` removes control codes from its lines. dbt does not obey NO_COLOR alone.
        "DBT_USE_COLORS": "false",
        # The user chooses what PYTHONPATH names, but an empty or relative entry means the working directory.
        "PYTHONPATH": os.pathsep.join(filter(os.path.isabs, os.environ.get("PYTHONPATH", "").split(os.pathsep))),
        "OUTCOMES_DB": str(database.absolute()),
        "OUTCOMES_SCHEMAS": str(folder / "schemas"),
    }


def _wait_for(command: Sequence[str], environment: Mapping[str, str], folder: Path, output: Any) -> None:
    """Run a command in `folder`, in a session of its own: Ctrl-C reaches this process alone, which then ends it."""
    process = subprocess.Popen(
        command, cwd=folder, env=environment, stdin=subprocess.PIPE, stdout=output, start_new_session=True
    )
    try:
        process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(TERMINATION_TIMEOUT_S)
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

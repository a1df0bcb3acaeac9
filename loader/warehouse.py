"""dbt on one database: where the dbt project is, one build at a time, and what came of it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from loader import locks, places, store
from loader.errors import BuildError, OutcomesError


def project_folder() -> Path:
    """The dbt project: `OUTCOMES_PROJECT`, else the checkout that this package lies in."""
    named = os.environ.get("OUTCOMES_PROJECT")
    folder = Path(named) if named else Path(__file__).parent.parent
    if not (folder / "dbt_project.yml").is_file():
        raise OutcomesError(
            f"no dbt_project.yml in {folder.absolute()}: set OUTCOMES_PROJECT to the checkout of the project"
        )
    return folder.absolute()


def build(
    database: Path,
    *,
    full_refresh: bool = False,
    select: Sequence[str] = (),
    quiet: bool = False,
    unit_tests: bool = False,
    wait: float = 0.0,
) -> int:
    """`dbt build` on a database; the number of dbt nodes that ran. dbt's unit tests are about the
    SQL and not about the data: they run where `unit_tests` asks for them.

    Raises BusyError while another build holds the database, BuildError where a dbt model or test
    failed, and also where nothing ran: a selection that matches nothing is a mistake.
    """
    project = project_folder()
    store.create_or_open(database).close()
    folder = places.build_folder(database)
    with locks.exclusive(folder / "lock", "a build", wait=wait):
        arguments = ["--quiet"] if quiet else []
        arguments += ["build", "--project-dir", str(project), "--profiles-dir", str(project)]
        arguments += ["--target-path", str(folder / "target"), "--log-path", str(folder / "logs")]
        arguments += ["--full-refresh"] if full_refresh else []
        arguments += [] if unit_tests else ["--exclude-resource-type", "unit_test"]
        arguments += ["--select", *" ".join(select).split()] if select else []
        _run_dbt(arguments, database, folder)
        return _nodes_run(folder)


def _run_dbt(arguments: list[str], database: Path, folder: Path) -> None:
    """Run dbt in this process. Its result file is removed first, so that a stale one is never
    read as this run's; it is imported here because that takes over a second."""
    try:
        from dbt.cli.main import dbtRunner
    except ImportError:
        raise OutcomesError(
            "dbt is not installed here: `make setup` in the project, or pip install 'model-outcomes[warehouse]'"
        ) from None
    (folder / "target" / "run_results.json").unlink(missing_ok=True)
    os.environ["OUTCOMES_DB"] = str(database.absolute())
    os.environ["OUTCOMES_SCHEMAS"] = str(folder / "schemas")
    os.environ.setdefault("DBT_USE_COLORS", str(sys.stdout.isatty()).lower())
    outcome = dbtRunner().invoke(arguments)
    if outcome.success:
        return
    if outcome.exception is not None:
        said = str(outcome.exception).partition("\n")[0]
        raise BuildError(f"dbt could not build {database.absolute()}: {said} (see above)")
    raise BuildError(f"dbt build failed on {database.absolute()}: see {folder / 'logs' / 'dbt.log'}")


def _nodes_run(folder: Path) -> int:
    try:
        results = json.loads((folder / "target" / "run_results.json").read_text(encoding="utf-8"))
    except OSError:
        raise BuildError("dbt wrote no run_results.json: nothing was built") from None
    if not results["results"]:
        raise BuildError("dbt ran nothing: no dbt model or test matches the selection")
    return len(results["results"])

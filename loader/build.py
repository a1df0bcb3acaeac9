"""Commands that build the warehouse and hold it to the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from loader.connections import TARGET, Number, built
from model_outcomes.base import console, dbt_vars, engines, paths
from model_outcomes.base.errors import NotInstalledError, OutcomesError


def _vars(context: click.Context, parameter: click.Parameter, value: str | None) -> dict[str, Any] | None:
    try:
        return dbt_vars.from_yaml(value) if value else None
    except OutcomesError as fault:
        raise click.BadParameter(str(fault)) from None
    except ImportError:  # dbt brings YAML along
        raise NotInstalledError("dbt", "warehouse") from None


@click.command()
@click.option("--full-refresh", is_flag=True, help="Compute the rollups from the whole log again.")
@click.option("--select", multiple=True, help="Only these dbt nodes, in dbt's syntax.")
@click.option("--unit-tests", is_flag=True, help="Run the unit tests of the dbt models, too.")
@click.option("--quiet", is_flag=True, help="Show dbt's warnings and errors only.")
@click.option("--wait", type=Number(min=0), default=0, metavar="SECONDS",
              help="Wait for another build to end, instead of exit 75.")  # fmt: skip
@click.option("--vars", callback=_vars, metavar="'NAME: VALUE'",
              help="Vars of dbt_project.yml for this build, beside those of outcomes.toml.")  # fmt: skip
@TARGET
@click.pass_obj
def build(db: Path, /, target: str, **how: Any) -> None:
    """Bring the dbt models up to date and test them (dbt build)."""
    from model_outcomes.warehouse import builds

    count = builds.build(db, target, **how)
    console.say(f"{count} dbt models, seeds and tests built in {db if target == engines.SQLITE else target}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Everything that was compared, for programs.")
@click.pass_obj
def audit(db: Path, as_json: bool) -> None:
    """Compute what was built from the raw log again, and compare."""
    from model_outcomes.care.audit import DIFFERS, as_text
    from model_outcomes.care.audit import as_json as json_of
    from model_outcomes.care.audit import audit as compare_with_log

    with built(db) as connection:
        found = compare_with_log(connection)
    console.write(json_of(found) if as_json else as_text(found))
    if found.differences:
        raise click.exceptions.Exit(DIFFERS)


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("docs.html"),
              show_default=True, help="The page to write.")  # fmt: skip
@click.pass_obj
def docs(db: Path, output: Path) -> None:
    """Write what every table and column means as one page (dbt docs)."""
    from model_outcomes.warehouse.docs import write

    count = write(db, output)
    console.say(f"{count} tables and views described in {paths.absolute(output)}")

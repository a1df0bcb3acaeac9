"""The commands build, audit and docs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from loader.connections import TARGET, Number, built
from model_outcomes.base import console, dbt_vars, engines, paths
from model_outcomes.base.errors import EXIT_FAILED, OutcomesError, expect_installed


def _vars(context: click.Context, parameter: click.Parameter, value: str | None) -> dict[str, Any] | None:
    if not value:
        return None
    expect_installed("warehouse", "dbt")  # dbt brings YAML along
    try:
        return dbt_vars.from_yaml(value)
    except OutcomesError as fault:
        raise click.BadParameter(str(fault)) from None


class _ManyValues(click.Command):
    """A command whose options of dbt nodes take several values, as dbt's do: `--select model_stats model_rankings`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        nodes = {name for option in self.params if option.name in ("select", "exclude") for name in option.opts}
        repeated: list[str] = []
        option = ""
        for arg in args:
            if arg.startswith("-"):
                name = arg.partition("=")[0]
                option = name if name in nodes else ""
            elif option and repeated[-1] != option:
                repeated.append(option)
            repeated.append(arg)
        return super().parse_args(ctx, repeated)


@click.command(cls=_ManyValues)
@click.option("--force", is_flag=True, help="Build also if nothing is new since the last build.")
@click.option("--full-refresh", is_flag=True, help="Compute the rollups again from the whole log.")
@click.option("-s", "--select", multiple=True, metavar="NODES...",
              help="Build these dbt nodes only, in dbt's syntax.")  # fmt: skip
@click.option("--exclude", multiple=True, metavar="NODES...", help="Build all dbt nodes but these.")
@click.option("--unit-tests", is_flag=True, help="Run the unit tests of the dbt models, too.")
@click.option("--quiet", is_flag=True, help="Show dbt's warnings and errors only.")
@click.option("--wait", type=Number(min=0), default=0, metavar="SECONDS",
              help="Wait so long for another build to end, instead of exit 75 at once.")  # fmt: skip
@click.option("--vars", callback=_vars, metavar="'NAME: VALUE'",
              help="Vars of dbt_project.yml for this build; they win over those of outcomes.toml.")  # fmt: skip
@TARGET
@click.pass_obj
def build(db: Path, /, target: str, **options: Any) -> None:
    """Update and test the dbt models (dbt build)."""
    from model_outcomes.warehouse import builds

    count = builds.build(db, target, **options)
    if not count:
        console.say(f"nothing is new since the last build of {db}: nothing to do (--force builds)")
        return
    console.say(f"{count} dbt models, seeds and tests built in {db if target == engines.SQLITE else target}")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print all compared tables and differences, as JSON.")
@click.pass_obj
def audit(db: Path, as_json: bool) -> None:
    """Check what was built against the raw log."""
    from model_outcomes.care import audit as audits

    with built(db) as connection:
        result = audits.audit(connection)
    console.write(audits.as_json(result) if as_json else audits.as_text(result))
    if result.differences:
        raise click.exceptions.Exit(EXIT_FAILED)


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("docs.html"),
              show_default=True, help="File to write.")  # fmt: skip
@click.pass_obj
def docs(db: Path, output: Path) -> None:
    """Write all tables and columns as a page (dbt docs)."""
    from model_outcomes.warehouse.docs import write

    count = write(db, output)
    console.say(f"{count} tables and views described in {paths.absolute(output)}")

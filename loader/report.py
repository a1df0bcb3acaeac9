"""The command that writes the report."""

from __future__ import annotations

from pathlib import Path

import click

from loader.connections import asked
from model_outcomes.base import clock, console, paths


@click.command()
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("report.html"), show_default=True,
              help="File to write.")  # fmt: skip
@click.pass_obj
def report(db: Path, output: Path) -> None:
    """Write the report as one HTML file.

    It says which model to use, how sure that is and what not to trust, and shows charts. It opens in any browser
    without a network. As of the last build.
    """
    from model_outcomes.publish import report

    report.expect_possible()
    path = report.check(output, db)
    contents, _ = asked(db, report.gather)
    report.save(report.render(contents, clock.utc_now()), path)
    console.say(f"wrote {paths.absolute(output)}")

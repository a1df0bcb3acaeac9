"""The command that shows the published snapshot in a browser."""

from __future__ import annotations

from pathlib import Path

import click

from model_outcomes.base import console


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True,
              help="The address to listen on; 0.0.0.0: everybody on the network.")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65_535), default=8001, show_default=True, help="0: any that is free.")
@click.option("--allow-host", multiple=True, metavar="NAME",
              help="Answer for this host name too; needed with --host 0.0.0.0.")  # fmt: skip
@click.option("--publish", type=click.Path(path_type=Path), envvar="OUTCOMES_PUBLISH", show_envvar=True, metavar="DIR",
              help="Where runs publish.  [default: published/ beside the database]")  # fmt: skip
@click.pass_obj
def serve(db: Path, host: str, port: int, allow_host: tuple[str, ...], publish: Path | None) -> None:
    """Show what the last run published in a browser, read-only (Datasette)."""
    from model_outcomes.base import paths
    from model_outcomes.publish import explorer

    folder = paths.absolute(publish) if publish else paths.published(db)
    explorer.serve(folder / paths.SNAPSHOT, host, port, allow_host, console.say)

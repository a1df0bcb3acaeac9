"""The command that serves the explorer."""

from __future__ import annotations

from pathlib import Path

import click

from model_outcomes.base import console


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True,
              help="Address to listen on; 0.0.0.0 is open to the network.")  # fmt: skip
@click.option("--port", type=click.IntRange(0, 65_535), default=8001, show_default=True,
              help="Port to listen on; 0 for any free port.")  # fmt: skip
@click.option("--allow-host", multiple=True, metavar="NAME",
              help="Also answer for this host name; needed with --host 0.0.0.0.")  # fmt: skip
@click.option("--publish", type=click.Path(path_type=Path), envvar="OUTCOMES_PUBLISH", show_envvar=True, metavar="DIR",
              help="Folder of the publication.  [default: published/ beside the database]")  # fmt: skip
@click.pass_obj
def serve(db: Path, host: str, port: int, allow_host: tuple[str, ...], publish: Path | None) -> None:
    """Serve the explorer for a browser.

    It shows the marts that the last run published, read-only, with Datasette.
    """
    from model_outcomes.base import paths
    from model_outcomes.publish import explorer

    folder = paths.absolute(publish) if publish else paths.published(db)
    explorer.serve(folder / paths.SNAPSHOT, host, port, allow_host, console.say)

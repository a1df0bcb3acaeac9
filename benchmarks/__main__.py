"""`python -m benchmarks [NAME...]`: run the named benchmarks, or all, and print Markdown."""

from __future__ import annotations

import tempfile
from importlib import import_module
from pathlib import Path

import click

from benchmarks.measuring import History

ON_A_HISTORY = ("build", "marts", "full_refresh", "recording", "asking")
IN_A_FOLDER = ("recording_rate", "rewriting", "starting", "mapping")
ON_LINES = ("loading_rate", "loading_memory")
SIMULATED = ("false_positives", "same_task")
NAMES = (*ON_A_HISTORY, *IN_A_FOLDER, *ON_LINES, *SIMULATED, "week", "earlier")
LARGE_ROWS = 1_000_000  # of the log that `earlier` builds


@click.command(help=__doc__)
@click.argument("names", nargs=-1, type=click.Choice(NAMES), metavar="[NAME]...")
@click.option("--rows", default=10_000_000, show_default=True, help="Outcomes in the long history.")
@click.option("--lines", default=1_000_000, show_default=True, help="Outcomes in a file to load.")
@click.option("--runs", default=2000, show_default=True, help="Simulated logs for each cell of a table.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), metavar="DIR",
              help="Make the histories there and keep them, instead of in a temporary folder.")  # fmt: skip
@click.option("--earlier", type=click.Path(exists=True, file_okay=False, path_type=Path), metavar="DIR",
              help="A checkout of an earlier commit, which the benchmark `earlier` compares with.")  # fmt: skip
def main(names: tuple[str, ...], rows: int, lines: int, runs: int, keep: Path | None, earlier: Path | None) -> None:
    chosen = names or tuple(name for name in NAMES if earlier or name != "earlier")
    if "earlier" in chosen and not earlier:
        raise click.UsageError("the benchmark earlier needs --earlier DIR, a checkout of an earlier commit")
    with tempfile.TemporaryDirectory() as temporary:
        folder = keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        history = History(folder.absolute(), rows) if set(chosen) & set(ON_A_HISTORY) else None
        for name in chosen:
            arguments: tuple[object, ...] = (history,) if name in ON_A_HISTORY else ()
            if name in (*IN_A_FOLDER, *ON_LINES):
                arguments = (folder.absolute(), lines) if name in ON_LINES else (folder.absolute(),)
            if name in SIMULATED:
                arguments = (runs,)
            if name == "earlier" and earlier:
                arguments = (folder.absolute(), earlier.absolute(), min(rows, LARGE_ROWS))
            import_module(f"benchmarks.{name}").main(*arguments)


if __name__ == "__main__":
    main()

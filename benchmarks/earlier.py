"""Builds with this checkout and with an earlier one (`--earlier DIR`), by turns, each on its own copy of a log.

The time is that of the whole command: Python, parsing and dbt's tests included. Both use this environment, so that only
the project's own code and SQL differ. The targets are those for 403cb2f as the earlier one.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks import logs
from benchmarks.measuring import paired_ratio, print_table, say
from model_outcomes.base import paths

ROOT = Path(__file__).resolve().parents[1]
SMALL_ROWS = 1_000
NEW_ROWS = 10_000
ROUNDS = 5
FULL_ROUNDS = 3


@dataclass(frozen=True)
class Side:
    """A checkout and the log that it builds."""

    checkout: Path
    path: Path

    def build(self) -> float:
        """Return the seconds of `loader build`."""
        command = [sys.executable, "-c", "from loader.cli import main; main()", "--db", str(self.path), "build"]
        environment = {**os.environ, "PYTHONPATH": str(self.checkout), "OUTCOMES_PROJECT": str(self.checkout)}
        begun = time.perf_counter()
        subprocess.run(
            [*command, "--quiet"], env=environment, cwd=self.path.parent, check=True, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        return time.perf_counter() - begun


def main(folder: Path, earlier: Path, rows: int) -> None:
    small, large = _log(folder, SMALL_ROWS), _log(folder, rows)
    cases = [
        _measure("nothing new", SMALL_ROWS, _sides(small, earlier), ROUNDS, lambda side: None, 0.2),
        _measure("1 new", SMALL_ROWS, _sides(small, earlier), ROUNDS, lambda side: logs.append(side.path, 1), 0.65),
        _measure(
            f"{NEW_ROWS:,} new", rows, _sides(large, earlier), ROUNDS,
            lambda side: logs.append(side.path, NEW_ROWS), 0.7,
        ),
        _measure("everything", rows, _sides(large, earlier), FULL_ROUNDS, lambda side: _empty(side, large), 1.0),
    ]  # fmt: skip
    print_table(
        f"Builds with this checkout and with {earlier.name}",
        ("build of", "outcomes", "this", "earlier", "ratio", "target"),
        cases,
    )


def _log(folder: Path, rows: int) -> Path:
    path = folder / f"unbuilt-{rows}.db"
    if not path.exists():
        say(f"making a log of {rows:,} outcomes in {path}")
        logs.make(unfinished := path.with_suffix(".unfinished"), rows)
        unfinished.rename(path)
    return path


def _sides(log: Path, earlier: Path) -> tuple[Side, Side]:
    sides = tuple(
        Side(checkout, log.parent / f"{name}.db") for name, checkout in (("this", ROOT), ("earlier", earlier))
    )
    for side in sides:
        _empty(side, log)
    return sides[0], sides[1]


def _empty(side: Side, log: Path) -> None:
    """Give a side a log that was never built. What dbt has parsed stays."""
    parsed = paths.build_folder(side.path) / "target" / "partial_parse.msgpack"
    kept = parsed.read_bytes() if parsed.exists() else None
    for path in side.path.parent.glob(f"{side.path.name}*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    shutil.copy(log, side.path)
    if kept:
        parsed.parent.mkdir(parents=True)
        parsed.write_bytes(kept)


def _measure(
    name: str, rows: int, sides: tuple[Side, Side], rounds: int, prepare: Callable[[Side], None], target: float
) -> tuple[str, ...]:
    seconds: dict[Side, list[float]] = {side: [] for side in sides}
    for number in range(-1, rounds):
        for side in sides if number % 2 else sides[::-1]:
            if number >= 0:  # the first round builds all and warms up
                prepare(side)
            taken = side.build()
            if number >= 0:
                seconds[side].append(taken)
        say(f"{name}, round {number + 1}: {', '.join(f'{each[-1]:.2f} s' for each in seconds.values() if each)}")
    ours, theirs = seconds.values()
    medians = (f"{statistics.median(each):.2f} s" for each in (ours, theirs))
    return name, f"{rows:,}", *medians, f"**{paired_ratio(ours, theirs):.2f}**", f"<= {target}"

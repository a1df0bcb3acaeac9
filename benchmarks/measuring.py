"""What the benchmarks share: histories to measure on, the project's commands, figures as a table."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks import logs
from model_outcomes.base import paths

TASK_TYPES = [f"task-{number:02d}" for number in range(logs.TASK_TYPES)]


class History:
    """A log of about so many outcomes over two years and 150 cells, built; made where it is missing."""

    def __init__(self, folder: Path, rows: int) -> None:
        self.rows = rows
        self.path = folder / f"history-{rows}.db"
        if not self.path.exists():
            say(f"making a log of {rows:,} outcomes in {self.path}")
            unfinished = self.path.with_suffix(".unfinished")
            unfinished.unlink(missing_ok=True)
            logs.make(unfinished, rows)
            unfinished.rename(self.path)
        self.build()

    def append(self, rows: int) -> None:
        logs.append(self.path, rows)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """`loader <arguments>` in a process of its own."""
        command = [sys.executable, "-c", "from loader.cli import main; main()", "--db", str(self.path), *arguments]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def build(self, *arguments: str) -> float:
        """`loader build`; the seconds that dbt spent in its nodes, one after the other: dbt models,
        seeds and tests, without starting Python and parsing the project."""
        building = self.start("build", "--quiet", *arguments)
        if building.wait():
            raise SystemExit(f"loader build failed on {self.path}")
        results = json.loads((paths.build_folder(self.path) / "target" / "run_results.json").read_text())
        return float(sum(result["execution_time"] for result in results["results"]))


def quantile(values: Sequence[float], share: float) -> float:
    """By nearest rank, so that it is one of the values."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


def paired_ratio(ours: Sequence[float], theirs: Sequence[float]) -> float:
    """The median of the ratios within a round: what slows a whole round down cancels out."""
    return statistics.median(one / other for one, other in zip(ours, theirs, strict=True))


def print_table(title: str, header: Iterable[str], rows: Iterable[Iterable[object]]) -> None:
    names = list(header)
    print(f"## {title}\n")
    print(f"| {' | '.join(names)} |\n|{'---|' * len(names)}")
    for row in rows:
        print(f"| {' | '.join(str(cell) for cell in row)} |")
    print(flush=True)


def say(what: str) -> None:
    print(what, file=sys.stderr, flush=True)

"""Starting up, against Python that imports Click: `loader record` as a command (target: at most 1.5 times as
long) and `from model_outcomes import ModelOutcomes` (target: less than 100 ms beyond Python's start)."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from benchmarks import outcomes
from benchmarks.measuring import paired_ratio, print_table

ROUNDS = 15
CLICK = "import click"


def main(folder: Path) -> None:
    outcomes.fresh_log(folder, "starting.db", "full").close()
    record = ["--db", str(folder / "starting.db"), "record", "--task-type", "t", "--model-id", "m", "--success"]
    sides = {
        "Python": ["-c", "pass"],
        CLICK: ["-c", CLICK],
        "from model_outcomes import ModelOutcomes": ["-c", "from model_outcomes import ModelOutcomes"],
        "loader record": ["-c", "from loader.cli import main; main()", *record],
    }
    # Bytecode is kept, as it is wherever a command runs twice.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    taken: dict[str, list[float]] = {name: [] for name in sides}
    for number, name in outcomes.by_turns([*sides], ROUNDS):
        begun = time.perf_counter()
        subprocess.run([sys.executable, *sides[name]], env=environment, stdout=subprocess.DEVNULL, check=True)
        if number:
            taken[name].append(time.perf_counter() - begun)
    print_table(
        f"Starting, {ROUNDS} rounds (targets: record <= 1.5, ModelOutcomes < 100 ms beyond Python)",
        ("what", "median", "beyond Python", "ratio to import click"),
        [
            (
                name,
                f"{statistics.median(all_) * 1e3:.0f} ms",
                f"{statistics.median(a - b for a, b in zip(all_, taken['Python'], strict=True)) * 1e3:.0f} ms",
                f"**{paired_ratio(all_, taken[CLICK]):.2f}**",
            )
            for name, all_ in taken.items()
        ],
    )

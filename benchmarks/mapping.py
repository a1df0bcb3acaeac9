"""`loader load --as terminal-bench` against `loader load` of the same rows as JSON Lines.

60 runs of 400 trials each, in folders with their metadata, are 24,000 trials. Both sides start a process and fill an
empty log. The mapping reads the documents, runs its SELECT, and loads the rows (target: < 1.5 of the time).
"""

from __future__ import annotations

import json
import os
import random
import statistics
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks import outcomes
from benchmarks.measuring import paired_ratio, print_table, say
from model_outcomes.log import store
from model_outcomes.log.outcome import COLUMNS

ROUNDS = 7
RUNS, TRIALS = 60, 400
LOAD = "from loader.cli import main; main()"
Times = tuple[float, float]


def main(folder: Path) -> None:
    say(f"writing {RUNS * TRIALS:,} trials")
    runs, lines = folder / "runs", folder / "trials.jsonl"
    for number in range(RUNS):
        _write_run(runs / f"run-{number}", number)
    database = str(folder / "mapping.db")
    command = [sys.executable, "-c", LOAD, "--db", database, "load", "--durability", "normal"]
    sides = {"--as terminal-bench": [*command, "--as", "terminal-bench", str(runs)], "the rows": [*command, str(lines)]}
    _run(folder, sides["--as terminal-bench"])
    _write_rows(folder / "mapping.db", lines)
    taken: dict[str, list[Times]] = {name: [] for name in sides}
    for number, name in outcomes.by_turns([*sides], ROUNDS):
        times = _run(folder, sides[name])
        if number:
            taken[name].append(times)
    table = []
    for name, all_ in taken.items():
        clocks = [([each[clock] for each in all_], [each[clock] for each in taken["the rows"]]) for clock in (0, 1)]
        seconds = (f"{statistics.median(ours):.2f} s" for ours, _ in clocks)
        table.append((name, *seconds, *(f"**{paired_ratio(ours, theirs):.2f}**" for ours, theirs in clocks)))
    print_table(
        f"Loading {RUNS * TRIALS:,} trials by a mapping, {ROUNDS} rounds (target: < 1.5 of the load of its rows)",
        ("way", "wall", "cpu", "to the rows, wall", "cpu"),
        table,
    )


def _write_run(folder: Path, number: int) -> None:
    dice = random.Random(number)
    folder.mkdir(parents=True, exist_ok=True)
    metadata = {"run_id": f"run-{number}", "agent_name": "agent", "model_name": f"model-{number % 10}",
                "dataset_name": "core", "start_time": "2026-05-01T10:00:00+00:00"}  # fmt: skip
    (folder / "run_metadata.json").write_text(json.dumps(metadata))
    trials = [_trial(number, trial, dice) for trial in range(TRIALS)]
    (folder / "results.json").write_text(json.dumps({"id": str(number), "results": trials}, indent=2))


def _trial(run: int, number: int, dice: random.Random) -> dict[str, Any]:
    is_resolved = dice.random() < 0.5
    times = {f"{part}_{end}_at": f"2026-05-01T1{hour}:{dice.randrange(60):02}:00.123456+00:00"
             for part in ("trial", "agent", "test") for hour, end in enumerate(("started", "ended"))}  # fmt: skip
    return {
        "id": f"{run:04}-{number:04}-{dice.randrange(10**12)}", "trial_name": f"task-{number}.1-of-1.run-{run}",
        "task_id": f"task-{number}", "instruction": "x" * 500, "is_resolved": is_resolved,
        "failure_mode": dice.choice(("unset", "agent_timeout")), "recording_path": "sessions/agent.cast",
        "parser_results": {f"test_{each}": "passed" for each in range(4)},
        "total_input_tokens": dice.randrange(1, 10**6), "total_output_tokens": dice.randrange(10**4), **times,
    }  # fmt: skip


def _write_rows(database: Path, path: Path) -> None:
    """Write the rows of a log as the lines that they could have come from."""
    with closing(store.create_or_open(database)) as connection, path.open("w") as file:
        for row in connection.execute(f"select {', '.join(COLUMNS)} from model_outcomes"):
            values = {name: value for name, value in zip(COLUMNS, row, strict=True) if value is not None}
            values |= {"success": bool(values["success"]), "timeout": bool(values["timeout"])}
            file.write(f"{json.dumps(values)}\n")


def _run(folder: Path, command: list[str]) -> Times:
    outcomes.fresh_log(folder, "mapping.db").close()
    before, wall = os.times(), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - wall, os.times()
    return wall, sum(after[2:4]) - sum(before[2:4])

"""A week of hourly runs over a log that grows: 168 times `loader run`, as a scheduler would.

Each hour agents append outcomes to the day's file of the inbox. A copy of everything is kept as it was after
the first day; at the end of the week, runs on both by turns compare the time that dbt spends in its
nodes. Target: at most 1.2 times the time, a bounded runs/ folder, and every outcome in the log once.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from benchmarks.measuring import paired_ratio, print_table, say

HOURS = 168
BEFORE_DAYS = 60
PER_HOUR = 1_000
TASK_TYPES = 5
MODELS = 4
KEEP_RUNS = 48
ROUNDS = 6


def main(hours: int = HOURS) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder, first_day = Path(temporary) / "week", Path(temporary) / "first day"
        (folder / "inbox").mkdir(parents=True)
        now = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0)
        start = now - timedelta(hours=hours)
        append(folder / "inbox" / "before.jsonl", start - timedelta(days=BEFORE_DAYS), timedelta(days=BEFORE_DAYS), 0)
        runs = [run(folder)]
        number = 0
        for hour in range(hours):
            begin = start + timedelta(hours=hour)
            number = (hour + 1) * PER_HOUR
            append(folder / "inbox" / f"{begin:%Y-%m-%d}.jsonl", begin, timedelta(hours=1), number)
            runs.append(run(folder))
            if hour % 24 == 23:
                if not first_day.exists():
                    shutil.copytree(folder, first_day)
                say(f"day {hour // 24 + 1}: {statistics.median(dbt_seconds(runs[-24:])):.2f} s in dbt")
        rounds: dict[str, list[float]] = {"first day": [], "week": []}
        for turn in range(ROUNDS + 1):
            number += PER_HOUR
            for one in (folder, first_day) if turn % 2 else (first_day, folder):
                append(one / "inbox" / "after.jsonl", now - timedelta(hours=1), timedelta(minutes=30), number)
                seconds = run(one)["build"]["seconds"]
                if turn:  # the first round warms up
                    rounds["first day" if one == first_day else "week"].append(seconds)
        report(folder, runs[1:], rounds)


def append(path: Path, begin: datetime, span: timedelta, first: int) -> None:
    """PER_HOUR outcomes, spread evenly over the span, cells in turn."""
    with path.open("a", encoding="utf-8") as file:
        for number in range(first, first + PER_HOUR):
            hash = number * 2654435761 % 4294967296 // 65536 % 1000
            model = number // TASK_TYPES % MODELS
            outcome = {
                "task_type": f"task-{number % TASK_TYPES}",
                "model_id": f"model-{model}",
                "success": hash < 700 + 50 * model,
                "cost_usd": (1000 + hash) / 250_000,
                "tokens_used": 1000 + hash,
                "timestamp": (begin + span * (number - first) / PER_HOUR).isoformat(),
            }
            file.write(json.dumps(outcome) + "\n")


def run(folder: Path) -> dict[str, Any]:
    command = [sys.executable, "-c", "from loader.cli import main; main()", "--db", "outcomes.db", "run"]
    command += ["--inbox", "inbox", "--keep-runs", str(KEEP_RUNS)]
    environment = {**os.environ, "OUTCOMES_PROJECT": str(Path(__file__).parent.parent)}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"loader run failed:\n{done.stderr[-2000:]}")
    summary: dict[str, Any] = json.loads(done.stdout)
    assert summary["accepted"] == PER_HOUR, summary
    return summary


def dbt_seconds(runs: list[dict[str, Any]]) -> list[float]:
    return [one["build"]["seconds"] for one in runs]


def report(folder: Path, runs: list[dict[str, Any]], rounds: dict[str, list[float]]) -> None:
    kept = [path for path in (folder / "runs").iterdir() if path.is_dir()]
    size = sum(path.stat().st_size for path in (folder / "runs").rglob("*") if path.is_file())
    print_table(
        f"{len(runs)} hourly runs, {PER_HOUR:,} new outcomes each (targets: ratio <= 1.2, runs/ bounded)",
        ("in dbt, after the", "median", "all"),
        [
            *((name, f"{statistics.median(all_):.2f} s", ", ".join(f"{one:.2f}" for one in all_))
              for name, all_ in rounds.items()),
            ("ratio", f"**{paired_ratio(rounds['week'], rounds['first day']):.2f}**", ""),
            (f"runs/: {len(kept)} of {KEEP_RUNS} folders", f"{size / 1e6:.1f} MB", ""),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()

"""A week of hourly runs over a log that grows: 168 times `loader run`, as a scheduler would.

Each hour agents append outcomes to the day's file of the inbox. What is compared is the time that dbt
spends in its nodes, of the runs of the last day with those of the first. Target: at most 1.2 times the
time, a bounded runs/ folder, and every outcome in the log once.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from benchmarks.measuring import print_table, say

HOURS = 168
BEFORE_DAYS = 60
PER_HOUR = 1_000
TASK_TYPES = 5
MODELS = 4
KEEP_RUNS = 48


def main(hours: int = HOURS) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "inbox").mkdir()
        now = datetime.now(timezone.utc).replace(minute=0, second=0, microsecond=0)
        start = now - timedelta(hours=hours)
        append(folder / "inbox" / "before.jsonl", start - timedelta(days=BEFORE_DAYS), timedelta(days=BEFORE_DAYS), 0)
        runs = [run(folder)]
        for hour in range(hours):
            begin = start + timedelta(hours=hour)
            number = (hour + 1) * PER_HOUR
            append(folder / "inbox" / f"{begin:%Y-%m-%d}.jsonl", begin, timedelta(hours=1), number)
            runs.append(run(folder))
            if hour % 24 == 23:
                say(f"day {hour // 24 + 1}: {statistics.median(dbt_seconds(runs[-24:])):.2f} s in dbt")
        report(folder, runs[1:])


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


def report(folder: Path, runs: list[dict[str, Any]]) -> None:
    first, last = runs[:24], runs[-24:]
    ratio = statistics.median(dbt_seconds(last)) / statistics.median(dbt_seconds(first))
    kept = [path for path in (folder / "runs").iterdir() if path.is_dir()]
    size = sum(path.stat().st_size for path in (folder / "runs").rglob("*") if path.is_file())
    print_table(
        f"{len(runs)} hourly runs, {PER_HOUR:,} new outcomes each (targets: ratio <= 1.2, runs/ bounded)",
        ("", "in dbt, median", "whole run, median"),
        [
            *((name, f"{statistics.median(dbt_seconds(some)):.2f} s",
               f"{statistics.median(one['seconds'] for one in some):.1f} s")
              for name, some in (("first day", first), ("last day", last))),
            ("ratio", f"**{ratio:.2f}**", ""),
            (f"runs/: {len(kept)} of {KEEP_RUNS} folders, {size / 1e6:.1f} MB", "", ""),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main()

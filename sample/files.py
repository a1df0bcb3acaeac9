"""The files of the sample: what the agents wrote, an evaluation, and an older tool's aggregates."""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
from datetime import date
from pathlib import Path

from sample import outcomes, world

AGENTS = "agents.jsonl"
EVALUATION = "evaluation.csv.gz"
LEGACY = "model-performance.json"

# Lines as they really come, by the line after which each stands; the loader refuses them.
BAD_LINES = {
    1_200: '{"task_type": "edit_code", "model_id": "cirrus-pro", "success": null, "timestamp": "2026-01-31T12:00:00Z"}',
    4_800: '{"task_type": "edit_code", "model_id": "ember-base", "success": true, "timestamp": "2026-01-31 12:00:00"}',
    9_100: '{"task_type": "fix_tests", "model_id": "aurora-large", "success": true, "timest',
    13_500: '{"task_type": "", "model_id": "dune-coder", "success": true, "timeout": "late",'
    ' "timestamp": "2026-01-31T12:00:00Z"}',
    17_000: '{"task_type": "write_docs", "model_id": "cirrus-mini", "success": false, "tokens_used": -12,'
    ' "timestamp": "2026-01-31T12:00:00Z"}',
}


def write(folder: Path, last_day: date) -> bool:
    """Write the sample's files into `folder`, all or none; False where they were there already."""
    if folder.exists():
        return False
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    _write_agents_log(unfinished / AGENTS, last_day)
    _write_evaluation(unfinished / EVALUATION, last_day)
    (unfinished / LEGACY).write_text(json.dumps(world.LEGACY, indent=2) + "\n", encoding="utf-8")
    unfinished.rename(folder)
    return True


def _write_agents_log(path: Path, last_day: date) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for number, outcome in enumerate(outcomes.agents_log(last_day), start=1):
            known = {name: value for name, value in outcome.items() if value is not None}
            file.write(json.dumps(known) + "\n")
            if number in BAD_LINES:
                file.write(BAD_LINES[number] + "\n")


def _write_evaluation(path: Path, last_day: date) -> None:
    rows = list(outcomes.evaluation(last_day))
    # Without a name and a time in its header, the archive too is the same every time.
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as archive,
        io.TextIOWrapper(archive, "utf-8", newline="") as text,
    ):
        writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({**row, "success": str(row["success"]).lower(), "timeout": str(row["timeout"]).lower()}
                         for row in rows)  # fmt: skip

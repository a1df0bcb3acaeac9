"""One log with a build, for the module, and what lies in a folder."""

import json
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from ..conftest import Once, with_dbt

PROJECT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
@with_dbt
def built(once: Once) -> Path:
    """A built log as one file: a backup, with nothing beside it."""
    return once("built outputs", build) / "built.db"


def build(folder: Path) -> None:
    chosen = random.Random(1)
    outcomes = [
        {"task_type": chosen.choice(["code", "review"]), "model_id": chosen.choice(["able", "brisk"]),
         "success": chosen.random() < 0.6, "timestamp": f"2026-01-{1 + number % 27:02}T12:00:00Z",
         "cost_usd": 0.25, "task_id": f"task-{number % 20}"}
        for number in range(200)
    ]  # fmt: skip
    (folder / "log.jsonl").write_text("".join(json.dumps(each) + "\n" for each in outcomes))
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("OUTCOMES_")}
    for arguments in (["load", "log.jsonl"], ["build", "--quiet"], ["backup", "built.db"]):
        subprocess.run(
            [sys.executable, "-c", "from loader.cli import main; main()", "--db", "log.db", *arguments],
            cwd=folder, check=True, env={**inherited, "OUTCOMES_PROJECT": str(PROJECT)}, stdout=subprocess.DEVNULL,
        )  # fmt: skip

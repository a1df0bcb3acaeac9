"""What a run published, from a log with names that nobody would choose but a stranger."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from model_outcomes.publish import publisher

from ..conftest import Once

PROJECT = Path(__file__).resolve().parents[3]
MARKUP = "</script><script>document.title='x'</script>"
IMAGE = "\"><img src=x onerror=document.title='x'>"
FORMULA = '=HYPERLINK("http://example.org")'
HOSTILE = [MARKUP, IMAGE, FORMULA, "safe\u202egnirts", "x" * 300, "esc\x1b[2J\x9bm\u2066"]
MODELS = ["able", "baker", *HOSTILE]


class Site:
    """A folder with a log, and what its runs published."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "outcomes.db"
        self.published = folder / "published"
        self.snapshot = self.published / "model_outcomes.db"

    def command(self, *arguments: object) -> list[str]:
        return [sys.executable, "-c", "from loader.cli import main; main()", *map(str, arguments)]

    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OUTCOMES_")}
        return {**inherited, "OUTCOMES_PROJECT": str(PROJECT), "OUTCOMES_DB": str(self.database),
                "OUTCOMES_WORKSPACE": str(PROJECT / "sample")}  # fmt: skip

    def loader(self, *arguments: object, exits: int = 0) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            self.command(*arguments), cwd=self.folder, env=self.environment(), capture_output=True, text=True
        )
        assert done.returncode == exits, done.stdout + done.stderr
        return done

    def publish_again(self, run_id: str) -> None:
        """As a run does it, without building anew."""
        with publisher.written(
            self.database, self.published, run_id=run_id, as_of="2026-01-31T12:00:00Z"
        ) as publication:
            publication.move_into_place()


def outcomes() -> Iterator[dict[str, Any]]:
    """Each model ten times as often as it stands from the end, on 40 days; the later ones succeed less, but
    the one with a formula for a name is as good as the first."""
    last = datetime.now(timezone.utc).replace(hour=0) - timedelta(days=1)
    for number, model_id in enumerate(MODELS):
        for task_type in ("code", "prose"):
            for attempt in range(40):
                yield {
                    "task_type": task_type,
                    "model_id": model_id,
                    "success": attempt % 10 >= number or model_id == FORMULA,
                    "cost_usd": 0.01 * (number + 1),
                    "timestamp": (last - timedelta(days=attempt)).isoformat(),
                }


@pytest.fixture(scope="session")
def site(once: Once, tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A copy for each worker, because tests publish there again."""
    folder = tmp_path_factory.mktemp("explored") / "site"
    shutil.copytree(once("explored", run), folder, symlinks=True)
    return Site(folder)


def run(folder: Path) -> None:
    site = Site(folder)
    inbox = site.folder / "inbox"
    inbox.mkdir()
    (inbox / "outcomes.jsonl").write_text("".join(json.dumps(each) + "\n" for each in outcomes()))
    site.loader("run", "--inbox", inbox)


@pytest.fixture(scope="session")
def serving(site: Site) -> Callable[[], Any]:
    """Serve the site in a process of its own; the process and its address."""

    @contextmanager
    def started(*arguments: object) -> Iterator[tuple["subprocess.Popen[str]", str]]:
        process = subprocess.Popen(
            site.command("serve", "--port", 0, *arguments), cwd=site.folder, env=site.environment(),
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout
        assert process.stderr
        with process, closing(process.stdout), closing(process.stderr):
            try:
                said = process.stdout.readline()
                assert " on http://" in said, process.stderr.read()
                yield process, said.split(" on ")[1].split()[0].replace("0.0.0.0", "127.0.0.1")
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()

    return started

"""The book, read as a newcomer would: each page top to bottom in a fresh copy, everything typed in as it stands.

The README begins with nothing, a page of docs/ where the README's first command has left off. With
`BOOK=write` in the environment the outputs shown are replaced by what came out.
"""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
README = ROOT / "README.md"
PAGES = [README, *sorted(ROOT.glob("docs/*.md"))]
HOME = "/home/you/model-outcomes"  # where the README's reader works
MADE = {".venv", ".tools", ".git", "data", "runs", "target", "logs", "__pycache__"}
FOLLOWED = {"sh", "python", "sql"}
FENCE = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file that it is to be written to, and what it shows as its output."""

    page: str
    line: int
    language: str
    path: str
    text: str
    shown: str | None

    def __str__(self) -> str:
        return f"{self.page}, line {self.line}: {self.language} {self.path or self.text.splitlines()[0]}"


def read_blocks(path: Path) -> list[Block]:
    page = path.read_text()
    found = list(FENCE.finditer(page))
    blocks = []
    for block, after in zip(found, [*found[1:], None], strict=True):
        is_shown = after and after[1] == "text" and not page[block.end() : after.start()].strip()
        line = page.count("\n", 0, block.start()) + 1
        blocks.append(Block(path.stem, line, block[1], block[2], block[3], after[3] if after and is_shown else None))
    return blocks


class Copy:
    """A fresh copy of the project in which somebody works; its .venv is the one that runs the tests."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.said = ""
        self.database = folder / "data" / "sample.db"
        # What runs in the background may come and go while the copy is made.
        shutil.copytree(
            ROOT,
            folder,
            dirs_exist_ok=True,
            ignore=lambda _, names: {name for name in names if name in MADE or name.endswith(("_cache", ".egg-info"))},
        )
        (folder / ".venv").symlink_to(sys.prefix)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OUTCOMES_")}
        self.environment = {**kept, "PYTHONPATH": str(folder)}

    def run(self, *command: str) -> str:
        """What a command prints, errors too; AssertionError where it fails."""
        ended = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout
        return ended.stdout

    def run_sample(self) -> str:
        return self.run(".venv/bin/python", "-m", "sample")

    def query(self, sql: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(sql).fetchall()

    def follow(self, block: Block) -> str:
        """Do what a block says, and return what came out."""
        if block.path:
            (self.folder / block.path).write_text(block.text)
            return ""
        if block.language == "sh":
            # A block goes on in the shell that the one before left.
            shell = f"test -e .shell && . ./.shell\n{self._without_make(block.text)}\nexport -p > .shell\n"
            output = self.run("bash", "-eu", "-o", "pipefail", "-c", shell)
        elif block.language == "python":
            output = self.run(".venv/bin/python", "-c", block.text)
        elif block.language == "sql":
            output = self._try_query(block.text)
        else:
            return ""
        return output.replace(str(self.folder), HOME)

    def _without_make(self, commands: str) -> str:
        """Setting up has tests of its own, and `make test` would never end: of make's targets only
        the sample's recipe is run, the others have to be there."""
        makefile = (self.folder / "Makefile").read_text()
        lines = []
        for line in commands.splitlines():
            target = re.match(r"make ([a-z-]+)", line)
            if target:
                recipe = re.search(rf"^{target[1]}:.*\n\t@?(.*)", makefile, re.M)
                assert recipe, f"the Makefile has no {target[1]}"
                line = recipe[1] if target[1] == "run" else ":"
            lines.append(line)
        return "\n".join(lines)

    def _try_query(self, sql: str) -> str:
        """A query has to find something; what a statement changes is taken back."""
        with closing(sqlite3.connect(self.database)) as connection:
            cursor = connection.execute(sql)
            if cursor.description:
                rows = cursor.fetchall()
                assert rows, "finds nothing"
                return f"{len(rows)} rows"
            assert cursor.rowcount == 1
            connection.rollback()
        return ""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "block" in metafunc.fixturenames:
        blocks = [block for page in PAGES for block in read_blocks(page) if block.language in FOLLOWED or block.path]
        metafunc.parametrize("block", blocks, ids=str)


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory, sampled: Copy) -> dict[Block, str | AssertionError]:
    """What came of each block of every page; of a failed one, its failure."""
    results: dict[Block, str | AssertionError] = {}
    for page in PAGES:
        copy = Copy(tmp_path_factory.mktemp(page.stem) / "copy")
        if page != README:
            shutil.copytree(sampled.folder / "data", copy.folder / "data")
        came = {block: _tried(copy, block) for block in read_blocks(page)}
        if os.environ.get("BOOK") == "write":
            page.write_text(_with_outputs(page.read_text(), came))
        results |= came
    return results


def _tried(copy: Copy, block: Block) -> str | AssertionError:
    try:
        return copy.follow(block)
    except (AssertionError, sqlite3.Error, OSError) as fault:
        return AssertionError(str(fault))


def _with_outputs(page: str, results: dict[Block, str | AssertionError]) -> str:
    outputs = iter([found for block, found in results.items() if block.shown is not None])

    def renew(block: re.Match[str]) -> str:
        found = next(outputs) if block[1] == "text" else None
        return f"```text\n{found.rstrip()}\n```" if isinstance(found, str) else block[0]

    return FENCE.sub(renew, page)


@pytest.fixture(scope="session")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A fresh copy in which the sample was made; `said` is what that printed."""
    copy = Copy(tmp_path_factory.mktemp("sampled") / "copy")
    copy.said = copy.run_sample()
    return copy

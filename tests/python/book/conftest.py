"""Run the pages as a newcomer does: each page from top to bottom, in a fresh copy of the project.

Each copy holds the sample that `make run` wrote. A page that says "This page goes on where [X](x.md) ends." gets a copy
of what page X left, so that pages share slow steps such as a run. Set `BOOK=write` in the environment to replace the
outputs that the pages print by the outputs of the commands.

Blocks of `sh`, `python` and `sql` run. A block with a path after its language is written to that file. Blocks of
`console` do not run: they need a network, another machine, or minutes.
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

from ..conftest import python_path

ROOT = Path(__file__).resolve().parents[3]
README = ROOT / "README.md"
CLI_REFERENCE = ROOT / "docs" / "reference" / "cli.md"  # generated, and held by test_cli_reference.py
PAGES = [
    README,
    ROOT / "CONTRIBUTING.md",
    *(page for page in sorted(ROOT.glob("docs/**/*.md")) if page != CLI_REFERENCE),
]
HOME = "/home/you/model-outcomes"  # the reader's folder
MADE = {".venv", ".tools", ".git", "data", "runs", "target", "logs", "dist", "__pycache__"}
EXECUTED = {"sh", "python", "sql"}
FENCE = re.compile(r"^```(\w+) ?(\S*)\n(.*?)^```$", re.M | re.S)
SEQUEL = re.compile(r"^This page goes on where \[[^\]]+\]\(([^)#]+)\) ends\.", re.M)
TIMEOUT_S = 300


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, the file to write it to, and the output that the page prints for it."""

    page: str
    line: int
    language: str
    path: str
    text: str
    printed: str | None

    def __str__(self) -> str:
        return f"{self.page}, line {self.line}: {self.language} {self.path or self.text.splitlines()[0]}"


def read_blocks(path: Path) -> list[Block]:
    page = path.read_text()
    fences = list(FENCE.finditer(page))
    blocks = []
    for number, block in enumerate(fences):
        after = fences[number + 1] if number + 1 < len(fences) else None
        has_output = after and after[1] == "text" and not page[block.end() : after.start()].strip()
        line = page.count("\n", 0, block.start()) + 1
        name = path.relative_to(ROOT).with_suffix("").as_posix()
        blocks.append(Block(name, line, block[1], block[2], block[3], after[3] if after and has_output else None))
    return blocks


class Copy:
    """A fresh copy of the project; its .venv is the one that runs the tests."""

    def __init__(self, folder: Path, data: Path | None = None) -> None:
        self.folder = folder
        self.output = ""
        self.database = folder / "data" / "sample.db"
        # Background processes may make and remove files during the copy.
        shutil.copytree(
            ROOT,
            folder,
            dirs_exist_ok=True,
            ignore=lambda _, names: {name for name in names if name in MADE or name.endswith(("_cache", ".egg-info"))},
        )
        if data:
            shutil.copytree(data, folder / "data", symlinks=True)
        (folder / ".venv").symlink_to(sys.prefix)
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OUTCOMES_")}
        self.environment = {**inherited, "PYTHONPATH": python_path(folder)}

    def run(self, *command: str) -> str:
        """Return what a command prints, errors too; raise AssertionError if it fails."""
        ended = subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
        assert ended.returncode == 0, ended.stdout
        return ended.stdout

    def query(self, sql: str) -> list[tuple[object, ...]]:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(sql).fetchall()

    def execute(self, block: Block) -> str:
        """Execute a block, and return its output."""
        if block.path:
            path = self.folder / block.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text)
            return ""
        if block.language == "sh":
            output = self._run_in_shell(self._without_make(block.text))
        elif block.language == "python":
            (self.folder / ".snippet.py").write_text(block.text)
            output = self._run_in_shell(f"{self.folder}/.venv/bin/python {self.folder}/.snippet.py")
        elif block.language == "sql":
            output = self._try_query(block.text)
        else:
            return ""
        return output.replace(str(self.folder), HOME)

    def _run_in_shell(self, commands: str) -> str:
        """Run commands with the variables and in the folder that the shell of the block before had."""
        state = self.folder / ".shell"
        resume = f'if test -e {state}; then . {state}; cd "$PWD"; fi'
        return self.run("bash", "-eu", "-o", "pipefail", "-c", f"{resume}\n{commands}\nexport -p > {state}\n")

    def _without_make(self, commands: str) -> str:
        """Leave out the targets of make, which have tests of their own; each must exist. The sample exists already."""
        makefile = (self.folder / "Makefile").read_text()
        lines = []
        for line in commands.splitlines():
            target = re.match(r"make ([a-z-]+)", line)
            if target:
                assert re.search(rf"^{target[1]}:", makefile, re.M), f"the Makefile has no {target[1]}"
                line = ":"
            lines.append(line)
        return "\n".join(lines)

    def _try_query(self, sql: str) -> str:
        """Run a query, which must return rows, or a statement, whose change is rolled back."""
        with closing(sqlite3.connect(self.database)) as connection:
            cursor = connection.execute(sql)
            if cursor.description:
                rows = cursor.fetchall()
                assert rows, "returns no rows"
                return f"{len(rows)} rows"
            assert cursor.rowcount == 1
            connection.rollback()
        return ""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "block" in metafunc.fixturenames:
        blocks = [block for page in PAGES for block in read_blocks(page) if block.language in EXECUTED or block.path]
        metafunc.parametrize("block", blocks, ids=str)


class Book:
    """The pages, each executed when the first of its blocks is asked for, after the page that it goes on from."""

    def __init__(self, factory: pytest.TempPathFactory, sampled: Copy) -> None:
        self._factory = factory
        self._sampled = sampled
        self._copies: dict[Path, Copy] = {}
        self._outputs: dict[Block, str | AssertionError] = {}

    def __getitem__(self, block: Block) -> str | AssertionError:
        """Return the output of a block; of a failed block, its failure."""
        self._copy_after(ROOT / f"{block.page}.md")
        return self._outputs[block]

    def _copy_after(self, page: Path) -> Copy:
        if page not in self._copies:
            sequel = SEQUEL.search(page.read_text())
            start = self._copy_after((page.parent / sequel[1]).resolve()) if sequel else self._sampled
            copy = self._copies[page] = Copy(self._factory.mktemp(page.stem) / "copy", start.folder / "data")
            outputs = {block: _executed(copy, block) for block in read_blocks(page)}
            if os.environ.get("BOOK") == "write":
                page.write_text(_with_outputs(page.read_text(), outputs))
            self._outputs |= outputs
        return self._copies[page]


@pytest.fixture(scope="session")
def book(tmp_path_factory: pytest.TempPathFactory, sampled: Copy) -> Book:
    return Book(tmp_path_factory, sampled)


def _executed(copy: Copy, block: Block) -> str | AssertionError:
    try:
        return copy.execute(block)
    except (AssertionError, sqlite3.Error, OSError, subprocess.TimeoutExpired) as fault:
        return AssertionError(str(fault))


def _with_outputs(page: str, results: dict[Block, str | AssertionError]) -> str:
    """Return a page with the outputs of its blocks. A `text` block that follows no command stays as it is."""
    blocks = iter(results.items())
    output: str | AssertionError | None = None

    def renew(fence: re.Match[str]) -> str:
        nonlocal output
        block, result = next(blocks)
        previous, output = output, (result if block.printed is not None else None)
        return f"```text\n{previous.rstrip()}\n```" if fence[1] == "text" and isinstance(previous, str) else fence[0]

    return FENCE.sub(renew, page)


@pytest.fixture(scope="session")
def sampled(tmp_path_factory: pytest.TempPathFactory, made_sample: Path) -> Copy:
    """A fresh copy that holds the sample; `output` is what making it printed."""
    copy = Copy(tmp_path_factory.mktemp("sampled") / "copy", made_sample / "data")
    copy.output = (made_sample / "output.txt").read_text()
    return copy

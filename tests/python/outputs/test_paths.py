"""No command writes over a file that is not its own, by whatever option, argument, setting or variable it is named."""

import hashlib
import os
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import click
import pytest

from loader.cli import main
from model_outcomes.base import outputs
from model_outcomes.base.settings import Settings, variable
from model_outcomes.warehouse import docs

PROJECT = Path(__file__).resolve().parents[3]

# Every parameter that names a file or a folder, with the arguments by which a test gives it one to write to.
# None: the command only reads it.
PARAMETERS: dict[str, list[str] | None] = {
    "main --db": None,  # see test_other_files.py
    "init workspace": ["init", "PATH"],
    "load files": None,
    "load --as": None,
    "import-legacy file": None,
    "sync-uok path": ["sync-uok", "--install-view", "PATH"],
    "docs --output": ["docs", "-o", "PATH"],
    "run --inbox": None,
    "run --legacy-json": None,
    "run --uok": None,
    "run --publish": ["run", "--publish", "PATH"],
    "backup file": ["backup", "PATH"],
    "report --output": ["report", "-o", "PATH"],
    "serve --publish": None,
    "export-federated --output": ["export-federated", "-o", "PATH"],
    "export-federated --cells": None,
    "export-federated --rename-map": None,
    "import-federated files": None,
    "export-log place": ["export-log", "--to", "parquet", "PATH"],
}
# Every variable that the loader reads, likewise.
VARIABLES: dict[str, list[str] | None] = {
    "OUTCOMES_DUCKDB": ["build", "--target", "duckdb"],
    "OUTCOMES_PARQUET": ["export-log", "--to", "parquet"],
    "OUTCOMES_PUBLISH": ["run"],
    "OUTCOMES_RUNS": ["run"],
    "OUTCOMES_SPARK": ["build", "--target", "spark"],
    "OUTCOMES_SPOOL": None,  # see degraded/
    "OUTCOMES_DB": None,  # see test_other_files.py
    **dict.fromkeys(
        ("OUTCOMES_CONFIG", "OUTCOMES_INBOX", "OUTCOMES_LEGACY_JSON", "OUTCOMES_PROJECT", "OUTCOMES_UOK",
         "OUTCOMES_WORKSPACE")
    ),
    # The loader itself sets it for dbt.
    "OUTCOMES_SCHEMAS": None,
    # These name no path.
    **dict.fromkeys(
        f"OUTCOMES_{name}"
        for name in ("BUSY_TIMEOUT", "DURABILITY", "FAIL_ON", "KEEP_RUNS", "LOAD", "MAX_REJECTS", "POSTGRES", "QUIET",
                     "REPORT", "SPARK_MASTER", "SPARK_MEMORY", "SPARK_PARTITIONS", "TARGET", "VARS", "WAIT")
    ),
}  # fmt: skip
SHARED_FOLDERS = {"init workspace", "run --publish", "OUTCOMES_PUBLISH", "OUTCOMES_RUNS"}


def commands(group: click.Group, name: str) -> Iterator[tuple[str, click.Command]]:
    """Yield every command below a group, with its name."""
    yield name, group
    for each in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), each)
        if isinstance(command, click.Group):
            yield from commands(command, each)
        elif command:
            yield each, command


def names_path(parameter: click.Parameter) -> bool:
    shown = parameter.metavar or ""
    is_path = isinstance(parameter.type, click.Path | click.File)
    return is_path or bool(re.search("FILE|DIR|PATH", shown)) or parameter.name in ("output_file", "path", "file")


def test_every_parameter_that_names_a_path_is_listed_here() -> None:
    found = {
        f"{name} {max(parameter.opts, key=len)}"
        for name, command in commands(main, "main")
        for parameter in command.params
        if names_path(parameter)
    }
    assert found == set(PARAMETERS)


def test_every_variable_is_listed_here() -> None:
    sources = [
        *(PROJECT / "loader").rglob("*.py"),
        *(PROJECT / "model_outcomes").rglob("*.py"),
        PROJECT / "profiles.yml",
    ]
    found = {name for file in sources for name in re.findall(r"\bOUTCOMES_[A-Z_]*[A-Z]\b", file.read_text("utf-8"))}
    settings = {variable(name) for name in Settings.__struct_fields__}
    assert found | settings == set(VARIABLES)


class Files:
    """A log with outcomes in its WAL, and files of all kinds that no command may touch."""

    def __init__(self, folder: Path, database: Path) -> None:
        self.folder, self.database = folder, database
        self.other = folder / "other.db"

    def the_log(self) -> Path:
        return self.database

    def a_link_to_the_log(self) -> Path:
        (self.folder / "link").symlink_to(self.database)
        return self.folder / "link"

    def a_hard_link_to_the_log(self) -> Path:
        (self.folder / "hard").hardlink_to(self.database)
        return self.folder / "hard"

    def its_wal(self) -> Path:
        return Path(f"{self.database}-wal")

    def its_shm(self) -> Path:
        return Path(f"{self.database}-shm")

    def its_journal_to_be(self) -> Path:
        return Path(f"{self.database}-journal")

    def its_spool(self) -> Path:
        path = Path(f"{self.database}.spool.jsonl")
        path.write_text('{"task_type": "waits"}\n')
        return path

    def its_lock(self) -> Path:
        return Path(f"{self.database}.load.lock")

    def its_build_folder(self) -> Path:
        path = Path(f"{self.database}.build")
        path.mkdir()
        (path / "kept").write_text("kept")
        return path

    def in_its_build_folder(self) -> Path:
        return self.its_build_folder() / "new"

    def another_log(self) -> Path:
        return self.other

    def a_closed_log(self) -> Path:
        return self.folder / "closed.db"

    def a_link_to_another_log(self) -> Path:
        (self.folder / "link").symlink_to(self.other)
        return self.folder / "link"

    def the_wal_of_another_log(self) -> Path:
        return Path(f"{self.other}-wal")

    def a_journal_to_be_of_another_program(self) -> Path:
        return Path(f"{self.foreign_database()}-journal")

    def foreign_database(self) -> Path:
        path = self.folder / "browser.sqlite"
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute("create table bookmarks (url)")
        return path

    def a_text(self) -> Path:
        path = self.folder / "letter.html"
        path.write_text("<!doctype html><p>Dear reader")
        return path

    def a_folder_with_a_file(self) -> Path:
        path = self.folder / "folder"
        path.mkdir()
        (path / "letter").write_text("Dear reader")
        return path

    def a_device(self) -> Path:
        return Path("/dev/null")

    def a_pipe(self) -> Path:
        os.mkfifo(self.folder / "pipe")
        return self.folder / "pipe"

    def a_link_to_nothing(self) -> Path:
        (self.folder / "link").symlink_to(self.folder / "nothing")
        return self.folder / "link"

    def all(self, asked: Path) -> dict[str, str]:
        """Return the content of every file and link, by path; of the index of a WAL, where readers leave marks,
        only if that is what is asked about."""
        contents = {}
        for path in sorted(self.folder.rglob("*")):
            if path.is_symlink():
                contents[str(path)] = str(path.readlink())
            elif path.is_file() and (path == asked or not path.name.endswith("-shm")):
                contents[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
        return contents


KINDS = [name for name, value in vars(Files).items() if callable(value) and not name.startswith("__") and name != "all"]


@pytest.fixture
def files(tmp_path: Path, invoke, database: Path, line) -> Iterator[Files]:
    files = Files(tmp_path, database)
    for path in (database, files.other, tmp_path / "closed.db"):
        assert invoke("--db", path, "init").exit_code == 0
    readers = []
    for path in (database, files.other):
        readers.append(sqlite3.connect(path))  # as long as somebody reads it, a log keeps its WAL
        readers[-1].execute("select * from model_outcomes").fetchall()
        assert invoke("--db", path, "load", "-", input=line(model_id=path.name)).exit_code == 0
        assert Path(f"{path}-wal").stat().st_size
    yield files
    for reader in readers:
        reader.close()


def writers() -> Iterator[tuple[str, list[str]]]:
    yield from ((name, arguments) for name, arguments in {**PARAMETERS, **VARIABLES}.items() if arguments)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("name", "arguments"), [*writers()])
def test_a_path_that_is_not_for_this_command_is_refused_untouched(
    files: Files, invoke, monkeypatch: pytest.MonkeyPatch, name: str, arguments: list[str], kind: str
) -> None:
    if name in SHARED_FOLDERS and kind == "a_folder_with_a_file":
        pytest.skip("runs and publications add files of their own, and touch no others")
    path = getattr(files, kind)()
    if name in VARIABLES:
        monkeypatch.setenv(name, str(path))
    monkeypatch.setenv("OUTCOMES_PROJECT", str(PROJECT))
    before = files.all(path)
    result = invoke(*(str(path) if part == "PATH" else part for part in arguments))
    after = files.all(path)
    assert {each: after.get(each) for each in before} == before
    assert result.exit_code == 2
    assert [each for each in result.stderr.splitlines() if str(path) in each], result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    with suppress(FileNotFoundError):
        assert kind not in ("its_journal_to_be", "its_lock", "in_its_build_folder") or not path.stat().st_size


@pytest.mark.parametrize("name", ["report.html", "docs.html", "copy.db", "stats.jsonl", "stats.jsonl.gz"])
def test_an_empty_file_is_written_to(files: Files, invoke, name: str) -> None:
    """As `mktemp` makes one."""

    (files.folder / name).touch()
    assert outputs.check(files.folder / name, files.database, "thing", lambda file: False) == files.folder / name


@pytest.mark.parametrize(
    ("command", "mark"),
    [
        (["report", "-o", "PATH"], b"<!doctype html>"),
        (["backup", "PATH"], b"SQLite format 3"),
        (["export-federated", "--all", "-o", "PATH"], b'{"line":"header"'),
    ],
)
def test_a_file_of_the_same_command_is_replaced_also_by_a_link(
    invoke, built: Path, tmp_path: Path, command: list[str], mark: bytes
) -> None:
    log = shutil.copy(built, tmp_path / "copied.db")
    path, link = tmp_path / "output", tmp_path / "link"
    link.symlink_to(path)
    path.touch()
    numbers = set()
    for name in (path, path, link):
        done = invoke("--db", log, *(str(name) if part == "PATH" else part for part in command))
        assert done.exit_code == 0, done.output
        assert path.read_bytes().startswith(mark)
        numbers.add(path.stat().st_mtime_ns)
    assert len(numbers) == 3
    assert link.readlink() == path


def test_a_page_of_docs_is_known_again(tmp_path: Path) -> None:
    site = '<!doctype html><html lang="en-US"><head><meta charset="utf-8"></head></html>'
    (tmp_path / "docs.html").write_text(docs.page(site, {}, {}, []))
    (tmp_path / "other.html").write_text(site)
    assert outputs.is_page(tmp_path / "docs.html", docs.PAGE)
    assert not outputs.is_page(tmp_path / "docs.html", "report")
    assert not outputs.is_page(tmp_path / "other.html", docs.PAGE)


def test_an_export_of_the_log_goes_on_in_its_folder(invoke, built: Path, tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    for rows in ("200", "0"):
        done = invoke("--db", built, "export-log", "--to", "parquet", tmp_path / "carried")
        assert (done.exit_code, done.stdout.startswith(f"{rows} outcomes exported to")) == (0, True), done.output

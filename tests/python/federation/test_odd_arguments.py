"""Odd arguments of an export: each gets one line and exit code 2, nothing leaves and nothing changes."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from .conftest import Project, times

TABLES = ("model_outcomes", "federated_identity", "federated_names", "federated_exports", "federated_draws")
ODD: dict[str, tuple[list[str], str, str]] = {
    "no epsilon": (["--epsilon", "nan", "--cells", "FILE"], "task_type,model_id\ncode,able\n", "'nan' is no number"),
    "a name that fills a book": (["--epsilon", "1", "--cells", "FILE"], f"task_type,model_id\ncode,{'x' * 200_000}\n",
                                 "is not a list of cells: a line has more than 100,000 characters\n"),
    "a name that fills a page": (["--epsilon", "1", "--cells", "FILE"], f"task_type,model_id\ncode,{'x' * 5_000}\n",
                                 f"/given: code, {'x' * 56}...: model_id: "),
    "half a surrogate": (["--rename-map", "FILE"], json.dumps({"models": {"able": "\ud800"}}), "surrogate pair"),
    "half a surrogate for a name": (["--rename-map", "FILE"], json.dumps({"models": {"\udfff": "x"}}), "surrogate"),
}  # fmt: skip


def kept(project: Project) -> list[list[dict[str, Any]]]:
    return [project.query(f"select * from {table}") for table in TABLES]


@pytest.mark.parametrize("name", ODD)
def test_what_cannot_be_meant(project: Project, tmp_path: Path, name: str) -> None:
    arguments, content, said = ODD[name]
    given = tmp_path / "given"
    given.write_text(content)
    project.record(times(20))
    before = kept(project)
    output = tmp_path / "out.jsonl"
    done = project.run("export-federated", "-o", output, *(str(given) if one == "FILE" else one for one in arguments))
    assert (done.exit_code, said in done.output, kept(project)) == (2, True, before), done.output
    assert not output.exists()


@pytest.mark.parametrize("name", ["own.db", "own.db-wal", "own.db-shm", "link.db", "other.gz", "other.gz-journal", "/"])
def test_an_output_that_is_no_place_for_one(project: Project, tmp_path: Path, name: str) -> None:
    project.record(times(20))
    (tmp_path / "link.db").symlink_to(project.database)
    other = Path(shutil.copy(project.database, tmp_path / "other.gz"))
    before = kept(project), other.read_bytes()
    done = project.run("export-federated", "-o", tmp_path / name)
    said = "/ is a folder: name a file" if name == "/" else f"{name} is a database: name another file"
    assert (done.exit_code, said in done.output) == (2, True), done.output
    # Who it is to others, a project may know.
    assert (kept(project)[2:], other.read_bytes()) == (before[0][2:], before[1])
    assert project.query("select count(*) as outcomes from model_outcomes") == [{"outcomes": 20}]

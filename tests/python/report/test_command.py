"""`loader report`: where it writes, from what, and what it says where it cannot."""

import importlib.util
from pathlib import Path

import pytest

from model_outcomes.publish import publisher

from .conftest import Log


def test_it_writes_where_it_is_told_and_says_where_that_is(sample: Log, tmp_path: Path, invoke, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    said = invoke("--db", sample.database, "report")
    assert (said.exit_code, said.output) == (0, f"wrote {tmp_path / 'report.html'}\n")
    invoke("--db", sample.database, "report", "-o", "own.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["own.html", "report.html"]


def test_without_its_libraries_it_says_how_to_get_them(sample: Log, tmp_path: Path, invoke, monkeypatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "vl_convert" else find(name))
    said = invoke("--db", sample.database, "report", "-o", tmp_path / "report.html")
    assert said.exit_code == 2
    assert "make setup EXTRAS=report" in said.output
    assert said.output.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("where", ["nowhere/report.html", "."])
def test_a_place_that_cannot_be_written_is_one_line(sample: Log, tmp_path: Path, invoke, where: str) -> None:
    said = invoke("--db", sample.database, "report", "-o", tmp_path / where)
    assert said.exit_code == 2
    assert said.output.startswith(f"Error: cannot write {tmp_path / where}".removesuffix("/."))
    assert said.output.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_before_the_first_build_it_says_to_build(invoke, tmp_path: Path) -> None:
    assert invoke("init").exit_code == 0
    said = invoke("report", "-o", tmp_path / "report.html")
    assert said.exit_code == 2
    assert "loader build" in said.output
    assert not (tmp_path / "report.html").exists()


def test_the_published_snapshot_answers_where_the_log_cannot(sample: Log, tmp_path: Path, invoke, monkeypatch) -> None:
    published = tmp_path / "published"
    publisher.prepare(published, sample.database)
    with publisher.written(sample.database, published, run_id="x", as_of="y") as publication:
        publication.move_into_place()
    monkeypatch.setenv("OUTCOMES_PUBLISH", str(published))
    said = invoke("--db", tmp_path / "gone.db", "report", "-o", tmp_path / "report.html")
    assert said.exit_code == 0
    assert "answers instead" in said.output
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "cirrus-pro has been worse" in page
    assert "Rejected lines" in page

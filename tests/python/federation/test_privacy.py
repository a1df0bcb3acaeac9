"""Noisy exports: drawn once over each outcome, stored, added up; nothing but two counts leaves."""

import json
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from model_outcomes.base import locks, paths
from model_outcomes.federation import privacy

from .conftest import Project, sections, times
from .test_network import pooled, said

CELL = ("code", "able")


@pytest.fixture
def cells(tmp_path: Path) -> Path:
    path = tmp_path / "cells.csv"
    path.write_text("task_type,model_id\ncode,able\ncode,thin\ncode,nobody\n")
    return path


@pytest.fixture
def noise(monkeypatch: pytest.MonkeyPatch) -> list[list[int]]:
    """What was asked to be hidden, draw by draw; three is added to every count in place of noise."""
    asked: list[list[int]] = []

    def noisy(counts: list[int], epsilon: float) -> list[int]:
        asked.append(list(counts))
        return [count + 3 for count in counts]

    monkeypatch.setattr(privacy, "noisy", noisy)
    return asked


def test_only_two_counts_leave_and_the_cut_is_on_the_noisy_ones(
    project: Project, cells: Path, noise: list[list[int]]
) -> None:
    project.record(times(20, cost_usd=0.5, tokens_used=9) + times(5, success=0) + times(4, model_id="thin"))
    project.record(times(7, success=0, error_type="rate_limited") + times(50, model_id="unlisted"))
    (window,) = project.export("--epsilon", 0.5, "--cells", cells)
    assert noise == [[20, 5, 4, 0, 0, 0]]
    assert window["window"] == "1970-01-01/2024-01-31", "not even when it began is told"
    assert window["privacy"] == {"min_outcomes": 10, "epsilon": 0.5, "mechanism": "discrete_laplace"}
    row = {"line": "row", "task_type": "code", "noise_variance": 8.0}
    assert window["cells"] == {
        CELL: {**row, "model_id": "able", "successes": 23, "failures": 8},
        ("code", "thin"): {**row, "model_id": "thin", "successes": 7, "failures": 3},
    }


def test_each_outcome_is_in_one_draw_and_noise_is_never_drawn_again(
    project: Project, cells: Path, noise: list[list[int]]
) -> None:
    project.record(times(20) + times(2, model_id="thin"))
    terms = ("--epsilon", 1, "--cells", cells)
    project.export(*terms, until=None)
    first, draws = project.file.read_bytes(), project.query("select * from federated_draws")
    project.record(times(6, success=0) + times(1, model_id="thin"))
    assert project.export(*terms, until=None) == [], "the window is over"
    project.export(*terms, "--all", until=None)
    assert (len(noise), project.query("select * from federated_draws")) == (1, draws)
    assert project.file.read_bytes() == first


def test_what_was_held_back_is_added_to_the_next_draw(project: Project, cells: Path, noise: list[list[int]]) -> None:
    project.record(times(20) + times(2, model_id="thin"))
    terms = ("--epsilon", 1, "--cells", cells)
    assert set(project.export(*terms)[0]["cells"]) == {CELL}
    project.record(times(6, success=0) + times(1, model_id="thin", timestamp="2024-02-01T00:00:00Z"))
    (february,) = project.export(*terms, until="2024-02-29")
    assert noise[1] == [0, 6, 1, 0, 0, 0], "late outcomes of January are in February's draw"
    thin = february["cells"]["code", "thin"]
    assert (thin["successes"], thin["failures"], thin["noise_variance"]) == (2 + 3 + 1 + 3, 0 + 3 + 0 + 3, 4.0)
    assert february["cells"][CELL]["successes"] + february["cells"][CELL]["failures"] == 6 + 6
    spent = project.query("select sum(successes) as won, sum(failures) as lost, count(*) as n from federated_draws")
    assert spent == [{"won": 23, "lost": 6, "n": 6}], "each outcome once"
    assert "epsilon 1 for a single outcome" in project.run("federation", "list").output
    assert "2 for a person with one outcome in each of all 2 windows" in project.run("federation", "list").output


def test_a_window_leaves_even_without_a_row_and_balances_once(
    project: Project, cells: Path, noise: list[list[int]]
) -> None:
    project.balance("code", "able", 30, 4)
    project.balance("code", "able", 1, 0)
    terms = ("--epsilon", 1, "--cells", cells)
    opening, window = project.export(*terms)
    assert (opening["window"], opening["cells"][CELL]["successes"], window["cells"]) == ("opening", 34, {})
    project.balance("code", "able", 100, 4)
    assert [one["window"] for one in project.export(*terms, until="2024-02-29")] == ["2024-02-01/2024-02-29"]


def test_exact_and_noisy_exports_do_not_mix(project: Project, cells: Path, noise: list[list[int]]) -> None:
    project.record(times(20) + times(20, timestamp="2024-02-01T00:00:00Z"))
    project.export("--epsilon", 1, "--cells", cells)
    done = project.run("export-federated", "-o", project.file)
    assert (done.exit_code, "exact figures would undo the noise" in done.output) == (2, True)
    assert {row["reason"] for row in project.query("select * from federated_export")} == {
        "this project exports with noise: no exact figure leaves"
    }


def test_exact_exports_are_not_followed_by_noisy_ones(project: Project, cells: Path, noise: list[list[int]]) -> None:
    project.record(times(20))
    project.export()
    done = project.run("export-federated", "-o", project.file, "--epsilon", "1", "--cells", cells)
    assert (done.exit_code, "leave out --epsilon" in done.output, noise) == (2, True, [])


@pytest.mark.parametrize(
    ("content", "said_"),
    [("model\nx\n", "is not a list of cells"), ("task_type,model_id\n", "lists no cell"),
     ("task_type,model_id\n/etc,x\n", "does not match the pattern"), ("task_type,model_id\nx\n", "model_id"),
     (None, "No such file")],
)  # fmt: skip
def test_a_list_that_is_none(project: Project, tmp_path: Path, content: str | None, said_: str) -> None:
    path = tmp_path / "list.csv"
    if content is not None:
        path.write_text(content)
    done = project.run("export-federated", "-o", tmp_path / "x", "--epsilon", "1", "--cells", path)
    assert (done.exit_code, said_ in done.output) == (2, True), done.output


def test_the_variance_of_the_noise_enters_the_pool(project: Project, new_project, cells: Path, noise) -> None:
    other, third = new_project("other"), new_project("third")
    other.record(times(40) + times(20, success=0))
    third.record(times(50) + times(4, success=0))
    other.export("--epsilon", 0.25, "--cells", cells)
    third.export("--epsilon", 0.25, "--cells", cells)
    project.take(other.file, third.file)
    expected = pooled([np.array([43, 66]), np.array([53, 60])], noise=2 / 0.25**2)
    row = said(project)[CELL]
    assert {name: row[name] for name in expected} == pytest.approx(expected)


def test_without_opendp_it_says_what_to_install(project: Project, cells: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opendp.prelude", None)
    project.record(times(20))
    done = project.run("export-federated", "-o", project.file, "--epsilon", "1", "--cells", cells)
    assert (done.exit_code, "make setup EXTRAS=privacy" in done.output) == (2, True)
    assert project.query("select * from federated_exports") == project.query("select * from federated_draws") == []


def test_the_noise_of_opendp_is_stored_with_the_export(project: Project, cells: Path) -> None:
    pytest.importorskip("opendp", reason="OpenDP is not installed: make setup EXTRAS=privacy")
    project.record(times(200) + times(50, success=0))
    (window,) = project.export("--epsilon", 0.1, "--cells", cells)
    row = window["cells"][CELL]
    (draw,) = project.query("select * from federated_draws where model_id = 'able'")
    assert (draw["noisy_successes"], draw["noisy_failures"]) == (row["successes"], row["failures"])
    first = project.file.read_text()
    project.run("export-federated", "-o", project.file, "--all", "--epsilon", "0.1", "--cells", cells)
    assert sections(project.file)[0]["cells"] == window["cells"], "the same noise, not another"
    assert json.loads(first.splitlines()[0])["sha256"] == sections(project.file)[0]["sha256"]


def test_the_noise_of_opendp_is_discrete_laplace() -> None:
    pytest.importorskip("opendp", reason="OpenDP is not installed: make setup EXTRAS=privacy")
    for epsilon in (0.5, 2.0):
        drawn = np.array(privacy.noisy([100] * 20_000, epsilon)) - 100
        # P(k) = (1 - q)/(1 + q) q^|k| with q = exp(-epsilon); its variance is 2 q/(1 - q)^2.
        q = np.exp(-epsilon)
        assert np.mean(drawn == 0) == pytest.approx((1 - q) / (1 + q), abs=0.02)
        assert np.var(drawn) == pytest.approx(2 * q / (1 - q) ** 2, rel=0.1)
        assert np.mean(drawn) == pytest.approx(0, abs=0.15)


def test_two_exports_at_once_are_one_after_the_other(project: Project, cells: Path) -> None:
    project.record(times(20))
    with locks.exclusive(paths.federation_lock(project.database), "an export"):
        done = project.run("export-federated", "-o", project.file)
    assert done.exit_code == 75
    with closing(sqlite3.connect(project.database)) as connection:
        assert connection.execute("select count(*) from federated_exports").fetchone() == (0,)

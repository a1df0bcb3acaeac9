"""Names that leave: what has left keeps its name, whatever aliases, rename maps and attributions say later."""

import itertools
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model_outcomes.federation import privacy

from .conftest import Project, times

NewProject = Callable[[str], Project]
STANDING = (
    "select export_window, task_type, model_id, outcomes from federated_export_rows"
    " inner join federated_exports using (export_id) where replaced_by is null"
    " order by export_window, task_type, model_id"
)


def alias(project: Project, **known_as: str) -> None:
    """The aliases of the day; `_` stands for the `-` of a name."""
    project.write("delete from model_aliases")
    project.write(
        "insert into model_aliases values (?, ?)", [(name.replace("_", "-"), known) for name, known in known_as.items()]
    )


def standing(project: Project) -> list[tuple[str, int]]:
    return [(row["model_id"], row["outcomes"]) for row in project.query(STANDING)]


def renamed(project: Project, tmp_path: Path, *arguments: object, **names: dict[str, str]) -> tuple[int, str]:
    path = tmp_path / "names.json"
    path.write_text(json.dumps(names))
    done = project.run("export-federated", "-o", project.file, "--rename-map", path, *arguments)
    return done.exit_code, done.output


def test_an_alias_that_goes_splits_nothing_that_left_together(project: Project) -> None:
    project.record(times(5) + times(15, model_id="able-2024"))
    alias(project, able_2024="able")
    project.export(until="2024-01-31")
    alias(project)
    assert project.export(until=None) == [], "a row of 5 able would leave"
    project.record(times(6, timestamp="2024-02-01T00:00:00Z"))
    project.record(times(6, timestamp="2024-02-01T00:00:00Z", model_id="able-2024"))
    assert [row["model_id"] for row in project.query("select * from federated_export")] == ["able"]
    project.export(until="2024-02-29")
    assert standing(project) == [("able", 20), ("able", 12)]


def test_an_alias_that_comes_joins_nothing_that_left_apart(project: Project) -> None:
    project.record(times(20) + times(15, model_id="able-2024") + times(4, model_id="able-2025"))
    project.export(until="2024-01-31")
    alias(project, able_2024="able", able_2025="able")
    project.record(times(11, model_id="able-2024", timestamp="2024-02-01T00:00:00Z"))
    project.record(times(6, model_id="able-2025"))
    (january, february) = project.export(until="2024-02-29")
    assert {key[1]: row["n"] for key, row in january["cells"].items()} == {"able": 30, "able-2024": 15}
    assert {key[1]: row["n"] for key, row in february["cells"].items()} == {"able-2024": 11}
    alias(project)
    assert project.export(until=None) == [], "able-2025 has left as able, too"


def test_a_rename_map_that_comes_too_late_is_refused(project: Project, tmp_path: Path) -> None:
    project.record(times(30))
    project.export(until="2024-01-31")
    project.record(times(55, timestamp="2024-02-01T00:00:00Z"))
    said = renamed(project, tmp_path, "--min-outcomes", 50, models={"able": "house"})
    assert said == (2, "Error: rename map: 'able' was exported as 'able' and keeps that name\n")
    project.export("--min-outcomes", 50, until="2024-02-29")
    assert standing(project) == [("able", 30), ("able", 55)]
    assert renamed(project, tmp_path, models={"able": "able"})[0] == 0, "nothing else is asked for"


def test_a_map_may_change_until_its_name_has_left(project: Project, tmp_path: Path) -> None:
    project.record(times(5) + times(20, model_id="other"))
    assert renamed(project, tmp_path, "--until", "2024-01-31", models={"able": "hose"})[0] == 0
    assert renamed(project, tmp_path, models={"able": "house"}, task_types={"prose": "text"})[0] == 0
    project.record(times(5))
    project.export(until=None)
    assert sorted(standing(project)) == [("house", 10), ("other", 20)]
    code, said = renamed(project, tmp_path, task_types={"prose": "writing"}, models={"able": "hose"})
    assert (code, "'able' was exported as 'house'" in said) == (2, True)
    (kept,) = project.query("select published_name from federated_names where name = 'prose'")
    assert kept == {"published_name": "text"}, "a map that is refused is refused whole"


def test_what_left_by_an_alias_has_used_up_its_name(project: Project, tmp_path: Path) -> None:
    project.record(times(20, model_id="able-2024"))
    alias(project, able_2024="able")
    project.export()
    assert "'able' was exported as 'able'" in renamed(project, tmp_path, models={"able": "house"})[1]
    assert "'able-2024' was exported as 'able'" in renamed(project, tmp_path, models={"able-2024": "house"})[1]


def test_a_row_that_shrinks_below_the_cut_goes(project: Project) -> None:
    """Where nothing remembers under which name its outcomes left."""
    project.record(times(5) + times(15, model_id="able-2024"))
    alias(project, able_2024="able")
    project.export(until="2024-01-31")
    project.write("delete from federated_names")
    alias(project)
    january, later = project.export(until="2024-02-29")
    assert (january["cells"], later["cells"].keys()) == ({}, {("code", "able-2024")})
    assert "held back: 1 cells" in project.run("export-federated", "-o", project.file).output


def test_a_row_below_the_cut_that_left_once_is_taken_back(project: Project) -> None:
    project.record(times(30) + times(5, model_id="small"))
    project.export()
    columns = ", ".join(row["name"] for row in project.query("pragma table_info(federated_export_rows)"))
    small = columns.replace("model_id", "'small'").replace(" outcomes", " 5").replace(" successes", " 5")
    project.write(f"insert into federated_export_rows ({columns}) select {small} from federated_export_rows")
    project.record(times(10))
    (again,) = project.export(until=None)
    assert {key[1]: row["n"] for key, row in again["cells"].items()} == {"able": 40}
    assert "held back: 1 cells" in project.run("export-federated", "-o", project.file).output


def test_no_order_of_imports_makes_a_difference_after_aliases_came_and_went(
    project: Project, new_project: NewProject, tmp_path: Path
) -> None:
    project.record(times(20))
    files = []
    for month, model, known_as in ((1, "able", {}), (2, "baker", {}), (3, "able", {"able": "house"}), (4, "able", {})):
        alias(project, **known_as)
        project.record(times(10, model_id=model, timestamp=f"2024-{month:02}-10T00:00:00Z"))
        project.export(until=f"2024-{month:02}-28")
        files.append(Path(shutil.copy(project.file, tmp_path / f"{month}.jsonl")))
    answers = []
    for number, order in enumerate(itertools.permutations(files)):
        if number % 5 == 0:
            newcomer = new_project(f"newcomer{number}")
            newcomer.take(*order)
            answers.append(newcomer.query("select model_id, trials from federated_model_stats order by model_id"))
    assert answers == [[{"model_id": "able", "trials": 50}, {"model_id": "baker", "trials": 10}]] * 5


MODELS = ("able", "able-2024", "able-2025", "baker", "baker-1")
ERRORS = (None, "odd", "rare", "slow")


def recorded(draw: random.Random, month: int) -> dict[str, Any]:
    success = int(draw.random() < 0.5)
    return {
        "task_type": draw.choice(["code", "prose"]), "model_id": draw.choice(MODELS), "success": success,
        "error_type": None if success else draw.choice(ERRORS), "tokens_used": draw.randrange(3000),
        "cost_usd": draw.choice([0.0, 0.123456789]), "cost_source": "provider",
        "timestamp": f"2024-{draw.randint(max(1, month - 2), month):02}-{draw.randint(1, 28):02}T10:00:00Z",
    }  # fmt: skip


def changed(project: Project, draw: random.Random, *, also: Callable[[], None] = lambda: None) -> None:
    """Other aliases, and what else may be other."""
    alias(project, **{name.replace("-", "_"): draw.choice(["able", "baker", "coder"])
                      for name in MODELS if draw.random() < 0.5})  # fmt: skip
    also()


@pytest.mark.parametrize("seed", range(3))
def test_exports_add_up_whatever_is_called_otherwise(project: Project, tmp_path: Path, seed: int) -> None:
    """What stands and what is held back is the log, no row is small, and none shrinks or goes."""
    draw = random.Random(seed)

    def attributed() -> None:
        project.write("delete from error_types where error_type in ('odd', 'rare', 'slow')")
        project.write(
            "insert into error_types (error_type, attribution) values (?, 'infrastructure')",
            [(name,) for name in ERRORS[1:] if draw.random() < 0.5],
        )

    told: dict[tuple[str, str, str], int] = {}
    for month in range(1, 7):
        project.record(recorded(draw, month) for _ in range(60))
        changed(project, draw, also=attributed)
        names = {draw.choice([*MODELS, "coder"]): draw.choice(["house", "villa", "baker"])}
        until = f"2024-{month:02}-28"
        code, said = renamed(project, tmp_path, "--until", until, models=names)
        if code:
            assert "and keeps that name" in said
            project.export(until=until)
        late = project.query("select * from int_exports_recounted")
        assert all(row["late_outcomes"] >= 0 for row in late), "nothing that left is in another cell now"
        assert all(row["changed_outcomes"] < 10 for row in late)
        rows = {tuple(row.values())[:3]: row["outcomes"] for row in project.query(STANDING)}
        assert all(rows[cell] >= outcomes for cell, outcomes in told.items())
        told = rows
        (held,) = project.query(
            "select coalesce(sum(outcomes), 0) as n from int_outcomes_unexported where outcome_date <= ?", until
        )
        (log,) = project.query("select count(*) as n from model_outcomes where timestamp <= ?", f"{until}T99")
        assert sum(rows.values()) + sum(row["late_outcomes"] for row in late) + held["n"] == log["n"]
    assert project.query("select min(outcomes) >= 10 as is_enough from federated_export_rows") == [{"is_enough": 1}]
    assert any(row["replaced_by"] for row in project.query("select * from federated_exports"))


@pytest.mark.parametrize("seed", range(2))
def test_each_outcome_is_in_one_draw_whatever_it_is_called(
    project: Project, tmp_path: Path, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(privacy, "noisy", lambda counts, epsilon: list(counts))
    cells = tmp_path / "cells.csv"
    named = [f"{task},{model}\n" for task in ("code", "prose") for model in (*MODELS, "coder", "house", "villa")]
    cells.write_text("task_type,model_id\n" + "".join(named))
    draw = random.Random(seed)
    for month in range(1, 6):
        project.record(recorded(draw, month) for _ in range(40))
        changed(project, draw)
        names = {draw.choice([*MODELS, "coder"]): draw.choice(["house", "villa", "baker"])}
        terms = ("--until", until := f"2024-{month:02}-28", "--epsilon", 1, "--cells", cells)
        code, said = renamed(project, tmp_path, *terms, models=names)
        if code:
            assert "and keeps that name" in said
            assert project.run("export-federated", "-o", project.file, *terms).exit_code == 0
        (drawn,) = project.query("select sum(successes + failures) as n from federated_draws")
        assert drawn == project.query("select count(*) as n from model_outcomes where timestamp <= ?", f"{until}T99")[0]

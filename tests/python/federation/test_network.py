"""Five projects: each exports, all import; what they then say of each other, against statsmodels."""

import itertools
import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import special, stats
from statsmodels.stats.proportion import proportion_confint

from .conftest import Project, times

NAMES = ("ada", "bob", "cyd", "dee", "eve")
MODELS = ("able", "baker", "coder")
Cell = tuple[str, str]


def logged(name: str) -> list[dict[str, Any]]:
    """Half a year of one project: its models are as good as the others', more or less."""
    draw = random.Random(name)
    skill = {model: 0.5 + 0.15 * index + draw.uniform(-0.1, 0.1) for index, model in enumerate(MODELS)}
    return [
        {
            "task_type": draw.choice(["code", "prose"]),
            "model_id": (model := draw.choice(MODELS)),
            "success": int(draw.random() < skill[model]),
            "cost_usd": draw.choice([0.001, 0.25]),
            "tokens_used": draw.randrange(1, 900),
            "error_type": "rate_limited" if draw.random() < 0.05 else None,
            "timestamp": f"2024-{draw.randint(1, 6):02}-{draw.randint(1, 28):02}T10:00:00Z",
        }
        for _ in range(draw.randint(200, 600))
    ]


def counted(outcomes: list[dict[str, Any]]) -> dict[Cell, np.ndarray]:
    """Successes and trials by cell."""
    found: dict[Cell, np.ndarray] = {}
    for one in outcomes:
        is_void = not one["success"] and one["error_type"] is not None
        key = (one["task_type"], one["model_id"])
        found[key] = found.get(key, np.zeros(2, int)) + np.array([one["success"], 0 if is_void else 1])
    return found


def pooled(cells: list[np.ndarray], noise: float = 0.0) -> dict[str, float]:
    """The random-effects pool by statsmodels' weighted least squares, tau^2 from an analysis of variance."""
    successes, trials = np.array(cells, float).T
    rates, m, projects = successes / trials, successes.sum() / trials.sum(), len(cells)
    noise_part = noise * (m**2 + (1 - m) ** 2) / trials**2
    within = m * (1 - m) / trials + noise_part
    share = trials / trials.sum()
    between = (
        (trials * (rates - m) ** 2).sum() - (projects - 1) * m * (1 - m) - (trials * (1 - share) * noise_part).sum()
    )
    tau_squared = max(0.0, between / ((trials * (1 - share)).sum() - (projects - 1)))
    weights = 1 / (within + tau_squared)
    fit = sm.WLS(rates, np.ones(projects), weights=weights).fit(cov_type="HC1")
    rate, error = fit.params[0], max(fit.bse[0], weights.sum() ** -0.5)
    half = stats.t.isf(0.025, projects - 1) * np.array([error, np.sqrt(error**2 + tau_squared)]) / (rate * (1 - rate))
    (lower, new_lower), (upper, new_upper) = (special.expit(special.logit(rate) + sign * half) for sign in (-1, 1))
    return {
        "projects": projects, "trials": trials.sum(), "successes": successes.sum(),
        "pooled_success_rate": rate, "pooled_success_rate_lower": lower, "pooled_success_rate_upper": upper,
        "new_project_success_rate_lower": new_lower, "new_project_success_rate_upper": new_upper,
        "tau_squared": tau_squared,
        "i_squared": max(0.0, 1 - (projects - 1) / ((rates - m) ** 2 / within).sum()),
        "prior_strength": np.clip(rate * (1 - rate) / (tau_squared + error**2) - 1, 1, 20),
    }  # fmt: skip


def said(project: Project) -> dict[Cell, dict[str, Any]]:
    return {(row["task_type"], row["model_id"]): row for row in project.query("select * from federated_model_stats")}


def agrees(project: Project, others: list[dict[Cell, np.ndarray]]) -> None:
    found = said(project)
    assert set(found) == set().union(*others)
    for cell, row in found.items():
        expected = pooled([other[cell] for other in others if cell in other])
        assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-9, abs=1e-12), cell


@pytest.fixture(scope="module")
def network(built: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Project]:
    """Each has exported its half year in two windows, and taken in what the others exported."""
    folder = tmp_path_factory.mktemp("network")
    projects = {name: Project(Path(shutil.copy(built, folder / f"{name}.db"))) for name in NAMES}
    for name, project in projects.items():
        project.record(logged(name))
        project.export(until="2024-03-31")
        shutil.copy(project.file, folder / f"{name}.1.jsonl")
        project.export(until="2024-06-30")
        shutil.copy(project.file, folder / f"{name}.2.jsonl")
    for name, project in projects.items():
        project.take(*[folder / f"{other}.{part}.jsonl" for other in NAMES if other != name for part in (1, 2)])
    return projects


@pytest.fixture
def alone(network: dict[str, Project], tmp_path: Path) -> Project:
    """A copy of one of them, to change."""
    return Project(Path(shutil.copy(network["ada"].database, tmp_path / "ada.db")))


@pytest.mark.parametrize("name", NAMES)
def test_each_pools_the_other_four(network: dict[str, Project], name: str) -> None:
    agrees(network[name], [counted(logged(other)) for other in NAMES if other != name])
    assert {row["is_few_projects"] for row in said(network[name]).values()} == {1}


def test_the_figures_are_put_to_the_test(network: dict[str, Project]) -> None:
    """Some cells differ by more than chance, some do not."""
    between = [row["tau_squared"] for project in network.values() for row in said(project).values()]
    assert min(between) == 0 < max(between)


def test_counts_and_costs_are_those_of_the_union(network: dict[str, Project]) -> None:
    union = [one for name in NAMES[1:] for one in logged(name)]
    trials = [one for one in union if one["success"] or one["error_type"] is None]
    (sums,) = network["ada"].query(
        "select sum(outcomes) as n, sum(trials) as trials, sum(successes) as successes, sum(metered_tokens) as tokens,"
        " sum(priced_trials) as priced, sum(priced_cost_usd) as cost from int_projects_counted"
    )
    expected = {
        "n": len(union), "trials": len(trials), "successes": sum(one["success"] for one in union),
        "tokens": sum(one["tokens_used"] for one in trials), "priced": len(trials),
        "cost": sum(one["cost_usd"] for one in trials),
    }  # fmt: skip
    assert sums == pytest.approx(expected)


def test_a_success_of_the_others_has_its_price(network: dict[str, Project]) -> None:
    """By the ratio and its delta-method error over all of their trials, one by one."""
    for cell, row in said(network["ada"]).items():
        outcomes = [one for name in NAMES[1:] for one in logged(name) if (one["task_type"], one["model_id"]) == cell]
        trials = [one for one in outcomes if one["success"] or one["error_type"] is None]
        cost, success = np.array([[one["cost_usd"], one["success"]] for one in trials]).T
        ratio = cost.sum() / success.sum()
        error = np.std(cost - ratio * success, ddof=1) / success.mean() / np.sqrt(len(trials))
        spread = stats.t.isf(0.025, success.sum() - 1) * error / ratio
        lowest_rate, _ = proportion_confint(success.sum(), len(trials), method="wilson")
        upper = max(ratio * np.exp(spread), cost.mean() / lowest_rate)
        assert row["cost_per_success"] == pytest.approx(ratio)
        assert row["cost_per_success_upper"] == pytest.approx(upper)
        assert row["avg_tokens"] == pytest.approx(np.mean([one["tokens_used"] for one in trials]))


def test_leave_one_out(alone: Project) -> None:
    (bob,) = alone.query("select distinct project from federated_imports where source like '%bob.1.jsonl'")
    assert alone.run("federation", "forget", bob["project"][:6]).output == f"{bob['project']}: 2 windows removed\n"
    agrees(alone, [counted(logged(name)) for name in NAMES[2:]])


def test_neither_order_nor_repetition_matters(
    network: dict[str, Project], new_project: Callable[[str], Project]
) -> None:
    folder = network["ada"].database.parent
    files = [folder / f"{name}.{part}.jsonl" for name in NAMES for part in (1, 2)]
    answers = []
    for seed in range(3):
        newcomer = new_project(f"newcomer{seed}")
        random.Random(seed).shuffle(files)
        newcomer.take(*files, *files[:3])
        answers.append(said(newcomer))
    assert answers[0] == answers[1] == answers[2]
    assert {row["is_few_projects"] for row in answers[0].values()} == {0}, "five projects are not few"
    everything = folder / "everything.jsonl"
    everything.write_text("".join(file.read_text() for file in files))
    newcomer = new_project("newcomer")
    newcomer.take(everything)
    assert said(newcomer) == answers[0], "files one behind the other are a file"


def test_own_counts_are_those_of_the_own_log(alone: Project) -> None:
    before = alone.query("select * from model_stats")
    own = counted(logged("ada"))
    for cell, row in said(alone).items():
        assert (row["own_successes"], row["own_trials"]) == tuple(own[cell])
        assert (row["is_thin"], row["federated_success_rate"]) == (0, None), "enough trials of its own"
    alone.run("federation", "forget", alone.query("select project from federated_imports")[0]["project"])
    assert alone.query("select * from model_stats") == before


def test_late_outcomes_reach_the_others(network: dict[str, Project], new_project: Callable[[str], Project]) -> None:
    sender = Project(Path(shutil.copy(network["bob"].database, new_project("bob").database)))
    receiver = Project(Path(shutil.copy(network["ada"].database, new_project("ada").database)))
    late = times(15, task_type="code", model_id="able", success=0, timestamp="2024-02-02T00:00:00Z", error_type=None,
                 cost_usd=0.001, tokens_used=5)  # fmt: skip
    sender.record(late)
    (again,) = sender.export("--until", "2024-07-31", until=None)
    assert again["window"] == "2024-01-01/2024-03-31"
    assert "replaced" in receiver.take(sender.file).output
    agrees(receiver, [counted(logged("bob") + late), *(counted(logged(name)) for name in NAMES[2:])])


def test_a_thin_cell_leans_on_the_others(new_project: Callable[[str], Project], network: dict[str, Project]) -> None:
    project = new_project("thin")
    folder = network["ada"].database.parent
    project.take(*[folder / f"{name}.{part}.jsonl" for name in NAMES for part in (1, 2)])
    project.record(
        times(4, task_type="code", model_id="able", success=0) + times(10, task_type="code", model_id="baker")
    )
    expected = pooled([counted(logged(name))["code", "able"] for name in NAMES])
    m, strength = expected["pooled_success_rate"], expected["prior_strength"]
    found = said(project)
    assert found["code", "able"]["federated_success_rate"] == pytest.approx((0 + strength * m) / (4 + strength))
    assert found["code", "baker"]["federated_success_rate"] is None
    assert found["code", "coder"]["federated_success_rate"] == found["code", "coder"]["pooled_success_rate"]


def test_names_are_matched_by_both_seeds(new_project: Callable[[str], Project], network: dict[str, Project]) -> None:
    project = new_project("named")
    folder = network["ada"].database.parent
    project.take(*[folder / f"{name}.{part}.jsonl" for name in NAMES for part in (1, 2)])
    project.write("insert into model_aliases values ('baker', 'able')")
    project.write("insert into task_type_aliases values ('prose', 'code')")
    cells = [sum((part for (_, model), part in counted(logged(name)).items() if model in ("able", "baker")),
                 np.zeros(2, int)) for name in NAMES]  # fmt: skip
    expected = pooled(cells)
    row = said(project)["code", "able"]
    assert {name: row[name] for name in expected} == pytest.approx(expected)
    assert set(said(project)) == {("code", "able"), ("code", "coder")}


def test_the_list_says_what_was_exchanged(network: dict[str, Project]) -> None:
    listed = json.loads(network["ada"].run("federation", "list", "--json").output)
    assert [(row["direction"], row["export_window"]) for row in listed] == [
        *itertools.product(["exported"], ["2024-01-01/2024-03-31", "2024-04-01/2024-06-30"]),
        *itertools.product(["imported"] * 4, ["2024-01-01/2024-03-31", "2024-04-01/2024-06-30"]),
    ]
    assert sum(row["outcomes"] for row in listed[:2]) == len(logged("ada"))
    table = network["ada"].run("federation", "list").output
    assert table.count("CC0-1.0") == 10
    assert network["ada"].run("federation", "forget", "zz").exit_code == 2
    assert network["ada"].run("federation", "forget", "").exit_code == 2

"""Pairs of models, configurations and agents against a computation in plain Python, over a random log with agents,
tasks, corrections, aliases and infrastructure failures: after a first build, after a second one, and after a full one.

The reference keeps every trial in lists and sums over strata as the formulas are printed. It shares no code with the
SQL, which adds up sums of blocks.
"""

import itertools
import math
import random
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import numpy as np
import pytest

from .conftest import Warehouse, copy_of_project, empty_log

Row = dict[str, Any]
Configuration = tuple[str, str, str, str]

ALPHA = 0.05
TUNING = 1000 / 7.936154601737565  # r of the default mode: 1,000 trials over c(.05)
COLUMNS = (
    "id", "task_type", "model_id", "agent", "effort", "variant", "success", "timestamp", "event_id", "task_id",
    "error_type", "cost_usd", "cost_source",
)  # fmt: skip
ALIAS = "able-2026"
MARTS = ("model_pairs", "configuration_rankings", "configuration_comparisons", "agent_comparisons")
SELECTED = [f"+{mart}" for mart in (*MARTS, "model_rankings", "model_stats")]
SKILL = {"able": 1.2, ALIAS: 1.2, "baker": -0.4, "cedar": 1.2, "dune": 0.0, "elm": 1.0}
HARNESS = {"rig": 0.5, "pi": -0.5, None: 0.0}


def outcomes(draw: random.Random, count: int, first_id: int, last_month: int) -> Iterator[Row]:
    for number in range(first_id, first_id + count):
        task_type, tasks = draw.choices([("code", 70), ("prose", 12), ("talk", 0)], [12, 4, 3])[0]
        model = draw.choices(list(SKILL), [6, 3, 6, 5, 1, 1])[0]
        # Tasks that only later outcomes try are in a block of their own.
        task = draw.randrange(tasks + (20 if number > 10_000 else 0)) if tasks and draw.random() < 0.85 else None
        # The rare model appears on few days and at few tasks.
        day = draw.randint(1, 4 if model == "dune" else 27)
        agent = "rig" if model == "elm" else draw.choice(list(HARNESS))
        ease = 0.0 if task is None else (task % 7 - 3) / 2
        chance = 1 / (1 + math.exp(-SKILL[model] - HARNESS[agent] - ease))
        yield {
            "id": number,
            "task_type": task_type,
            "model_id": model,
            "agent": agent,
            "effort": draw.choice([None, "high"]) if model == "baker" else None,
            "variant": draw.choices([None, "v2"], [9, 1])[0],
            "success": int(draw.random() < chance),
            "timestamp": f"2026-{draw.randint(1, last_month):02}-{day:02}T{draw.randint(0, 23):02}:00:00Z",
            "event_id": f"e{number}",
            "task_id": None if task is None else f"T{task}",
            "error_type": draw.choices([None, "rate_limited", "wrong_answer"], [8, 1, 3])[0],
            "cost_usd": draw.choice([0, 0.25, 0.5]),
            "cost_source": "provider",
        }


class Log:
    """A log, the rows that it recorded and the verdict that counts for each."""

    def __init__(self, warehouse: Warehouse) -> None:
        self.warehouse, self.draw = warehouse, random.Random(11)
        self.recorded: dict[int, Row] = {}
        self.verdicts: dict[int, str] = {}

    def record(self, count: int, first_id: int, last_month: int) -> None:
        rows = list(outcomes(self.draw, count, first_id, last_month))
        statement = f"insert into model_outcomes ({', '.join(COLUMNS)}) values ({', '.join('?' * len(COLUMNS))})"
        with closing(sqlite3.connect(self.warehouse.database)) as connection, connection:
            connection.executemany(statement, [[row[name] for name in COLUMNS] for row in rows])
        self.recorded |= {row["id"]: row for row in rows}

    def correct(self, count: int) -> None:
        with closing(sqlite3.connect(self.warehouse.database)) as connection, connection:
            for _ in range(count):
                number, verdict = (
                    self.draw.choice(list(self.recorded)),
                    self.draw.choice(["success", "failure", "void"]),
                )
                connection.execute(
                    "insert into outcome_corrections (outcome_id, verdict) values (?, ?)", (number, verdict)
                )
                self.verdicts[number] = verdict

    def trials(self) -> list[Row]:
        """Return the trials under each model's one name, in the order of their times."""
        found = []
        for row in sorted(self.recorded.values(), key=lambda row: (row["timestamp"], row["id"])):
            verdict = self.verdicts.get(row["id"], "success" if row["success"] else "failure")
            is_lost = verdict == "failure" and row["error_type"] == "rate_limited"
            if verdict != "void" and not is_lost:
                model = "able" if row["model_id"] == ALIAS else row["model_id"]
                found.append({**row, "model_id": model, "success": int(verdict == "success")})
        return found


def configuration(row: Row) -> Configuration:
    return (row["model_id"], row["agent"] or "", row["effort"] or "", row["variant"] or "")


Strata = list[tuple[int, int, int, int]]  # successes and trials of the one arm, then of the other


class Reference:
    """Trials by task type and configuration, and the strata of each pair of configurations."""

    def __init__(self, trials: list[Row]) -> None:
        self.cells: dict[tuple[str, Configuration], list[Row]] = defaultdict(list)
        for row in trials:
            self.cells[row["task_type"], configuration(row)].append(row)

    def by(self, task_type: str, group: Callable[[Configuration], str]) -> dict[str, list[int]]:
        """Return successes as 1 and 0, by group of configurations."""
        found: dict[str, list[int]] = defaultdict(list)
        for (each, name), rows in self.cells.items():
            if each == task_type:
                found[group(name)] += [row["success"] for row in rows]
        return found

    def grouped(self, task_type: str, name: Configuration, key: str) -> dict[str, list[int]]:
        found: dict[str, list[int]] = defaultdict(list)
        for row in self.cells[task_type, name]:
            value = row["timestamp"][:10] if key == "day" else row["task_id"]
            if value is not None:
                found[value].append(row["success"])
        return found

    def shared(self, task_type: str, first: Configuration, other: Configuration, key: str) -> list[Any]:
        one, two = self.grouped(task_type, first, key), self.grouped(task_type, other, key)
        return [(one[name], two[name]) for name in sorted(one.keys() & two.keys())]

    def strata(self, task_type: str, first: Configuration, other: Configuration) -> Strata:
        tasks = self.shared(task_type, first, other, "task")
        fewer = min(len(self.grouped(task_type, name, "task")) for name in (first, other))
        is_by_task = len(tasks) >= 30 or (tasks and len(tasks) >= 0.1 * fewer)
        pairs = tasks if is_by_task else self.shared(task_type, first, other, "day")
        return [(sum(one), len(one), sum(two), len(two)) for one, two in pairs]

    def configurations(self, task_type: str) -> list[Configuration]:
        return sorted(name for each, name in self.cells if each == task_type)


def difference(strata: Strata, pairs: float) -> dict[str, float]:
    """Return the difference of two arms inside strata, with the interval at alpha/pairs, as it is printed."""
    weights = [n_a * n_b / (n_a + n_b) for _, n_a, _, n_b in strata]
    deltas = [k_b / n_b - k_a / n_a for k_a, n_a, k_b, n_b in strata]
    total = sum(weights)
    mean = sum(weight * delta for weight, delta in zip(weights, deltas, strict=True)) / total
    variance = 0.25
    for k_a, n_a, k_b, n_b in strata:
        n, k = n_a + n_b, k_a + k_b
        variance += n_a * n_b * k * (n - k) / (n**2 * (n - 1))
    robust = 0.0
    if len(strata) > 1:
        squares = sum((weight * (delta - mean)) ** 2 for weight, delta in zip(weights, deltas, strict=True))
        robust = len(strata) / (len(strata) - 1) * squares
    squared_error = max(variance, robust) / total**2
    n = sum(n_a + n_b for _, n_a, _, n_b in strata)
    level = ALPHA / pairs
    half = math.sqrt(squared_error * (n + TUNING) / n * math.log((n + TUNING) / (TUNING * level**2)))
    evidence = math.sqrt(TUNING / (n + TUNING)) * math.exp(mean**2 / squared_error / 2 * n / (n + TUNING))
    return {
        "difference": mean,
        "half": half,
        "difference_lower": max(mean - half, -1.0),
        "difference_upper": min(mean + half, 1.0),
        "e_value": evidence,
        "strata": len(strata),
        "shared_trials": sum(n_a for _, n_a, _, _ in strata),
        "other_shared_trials": sum(n_b for _, _, _, n_b in strata),
    }


def judged(strata: Strata, pairs: float, one: list[int], two: list[int], words: tuple[str, str]) -> Row:
    """Return the figures of a pair of arms of which `one` and `two` are all trials, and its verdict."""
    naive = sum(two) / len(two) - sum(one) / len(one)
    row: Row = {"trials": len(one), "other_trials": len(two), "naive_difference": naive, "compared_pairs": pairs}
    if not strata:
        few = min(len(one), len(two)) < 30
        return row | {"strata": 0, "verdict": "too_few_trials" if few else "no_common_ground", "difference": None}
    row |= difference(strata, pairs)
    if min(row["shared_trials"], row["other_shared_trials"]) < 30 or row["strata"] < 10 + 5 * math.log(pairs):
        row["verdict"] = "too_few_trials"
    elif row["difference"] - row["half"] > 0:
        row["verdict"] = words[1]
    elif row["difference"] + row["half"] < 0:
        row["verdict"] = words[0]
    else:
        row["verdict"] = "no_verdict_yet"
    is_outside = abs(naive - row["difference"]) > row["half"]
    row["is_confounded"] = int(naive * row["difference"] < -1e-6 or is_outside)
    del row["half"]
    return row


def number_of_pairs(groups: dict[str, list[int]]) -> int:
    eligible = sum(len(trials) >= 3 for trials in groups.values())
    return max(eligible * (eligible - 1) // 2, 1)


def model_pairs(reference: Reference, task_type: str) -> dict[tuple[str, str], Row]:
    models = reference.by(task_type, lambda name: name[0])
    found = {}
    for model, rival in itertools.combinations(sorted(models), 2):
        strata: Strata = []
        table = [0, 0, 0, 0]  # both, only the model, only the rival, neither
        shares = [0.0, 0.0]
        for name in reference.configurations(task_type):
            other = (rival, *name[1:])
            if name[0] != model or (task_type, other) not in reference.cells:
                continue
            strata += reference.strata(task_type, name, other)
            for one, two in reference.shared(task_type, name, other, "task"):
                table[2 * (1 - one[0]) + (1 - two[0])] += 1
                p, q = sum(one) / len(one), sum(two) / len(two)
                shares = [shares[0] + p * (1 - q), shares[1] + q * (1 - p)]
        row = judged(strata, number_of_pairs(models), models[model], models[rival], ("model_better", "rival_better"))
        found[model, rival] = row | {"table": table, "shares": shares}
    return found


def agent_pairs(reference: Reference, task_type: str) -> dict[tuple[str, str], Row]:
    agents = reference.by(task_type, lambda name: name[1])
    agents.pop("", None)
    found = {}
    for agent, other_agent in itertools.combinations(sorted(agents), 2):
        pairs = [
            (name, (name[0], other_agent, *name[2:]))
            for name in reference.configurations(task_type)
            if name[1] == agent and (task_type, (name[0], other_agent, *name[2:])) in reference.cells
        ]
        pairs = [(one, two) for one, two in pairs if reference.strata(task_type, one, two)]
        if pairs:
            strata = [each for one, two in pairs for each in reference.strata(task_type, one, two)]
            words = ("first_better", "other_better")
            row = judged(strata, number_of_pairs(agents), agents[agent], agents[other_agent], words)
            row["shared_models"] = len({one[0] for one, _ in pairs})
            row["mix_difference"] = row["naive_difference"] - row["difference"]
            found[agent, other_agent] = row
    return found


def configuration_pairs(reference: Reference, task_type: str) -> dict[tuple[Configuration, Configuration], Row]:
    trials = {
        name: [row["success"] for row in rows] for (each, name), rows in reference.cells.items() if each == task_type
    }
    pairs = number_of_pairs({str(name): rows for name, rows in trials.items()})
    found = {}
    for one, two in itertools.combinations(sorted(trials), 2):
        if strata := reference.strata(task_type, one, two):
            row = judged(strata, pairs, trials[one], trials[two], ("first_better", "other_better"))
            if min(len(trials[one]), len(trials[two])) < 3:
                row["verdict"] = "too_few_trials"
            parts = ("model", "agent", "effort", "variant")
            row["differs_in"] = ", ".join(part for part, a, b in zip(parts, one, two, strict=True) if a != b)
            found[one, two] = row
    return found


def strengths(pairs: dict[tuple[str, str], Row]) -> dict[str, float]:
    """Return the strength of the models at the same tasks: eight damped steps of weighted least squares."""
    shared = {names: sum(row["table"]) for names, row in pairs.items()}
    names = sorted({name for pair in pairs for name in pair})
    names = [name for name in names if max(count for pair, count in shared.items() if name in pair) >= 30]
    if len(names) < 2:
        return {}
    wins = np.zeros((len(names), len(names)))
    for (one, two), row in pairs.items():
        if one in names and two in names:
            wins[names.index(one), names.index(two)], wins[names.index(two), names.index(one)] = row["shares"]
    odds = np.log((wins + 0.5) / (wins.T + 0.5))
    precision = np.where(wins + wins.T > 0, 1 / (1 / (wins + 0.5) + 1 / (wins.T + 0.5)), 0)
    theta = np.zeros(len(names))
    for _ in range(8):
        theta = (theta + (precision * (odds + theta)).sum(axis=1) / precision.sum(axis=1)) / 2
        theta -= theta.mean()
    return dict(zip(names, theta, strict=True))


def agree(built: Row, expected: Row, renamed: dict[str, str]) -> None:
    for name, value in expected.items():
        column = renamed.get(name, name)
        # A difference of 0 is a little more or less than 0 in doubles, and its sign decides.
        is_rounding = column == "is_confounded" and abs(expected["difference"]) < 1e-12
        if column in built and not is_rounding:
            wanted = pytest.approx(value, rel=1e-9, abs=1e-12) if isinstance(value, float) else value
            assert built[column] == wanted, (column, built)


def check(log: Log) -> set[str]:
    """Hold every row of the marts against the reference. Return the verdicts of the pairs of models."""
    reference = Reference(log.trials())
    rows = log.warehouse.rows
    verdicts: set[str] = set()
    for task_type in ("code", "prose", "talk"):
        of_models = model_pairs(reference, task_type)
        pairs = {
            (row["model_id"], row["rival_model_id"]): row
            for row in rows("select * from model_pairs where task_type = ?", task_type)
        }
        assert pairs.keys() == of_models.keys()
        renamed = {"other_trials": "rival_trials", "other_shared_trials": "rival_shared_trials"}
        for names, row in pairs.items():
            agree(row, of_models[names], renamed)
            table = [row[name] for name in (
                "both_succeeded", "only_model_succeeded", "only_rival_succeeded", "neither_succeeded",
            )]  # fmt: skip
            assert [count or 0 for count in table] == of_models[names]["table"]
            assert row["shared_tasks"] == sum(of_models[names]["table"])
            verdicts.add(row["verdict"])
        strong = {
            row["model_id"]: row["same_task_strength"]
            for row in rows("select * from model_rankings where task_type = ?", task_type)
            if row["same_task_strength"] is not None
        }
        assert strong == pytest.approx(strengths(of_models), abs=1e-9)

        of_agents = agent_pairs(reference, task_type)
        agents = {
            (row["agent"], row["other_agent"]): row
            for row in rows("select * from agent_comparisons where task_type = ?", task_type)
        }
        assert agents.keys() == of_agents.keys()
        for names, row in agents.items():
            agree(row, of_agents[names], {})

        of_configurations = configuration_pairs(reference, task_type)
        compared = {
            (
                (row["model_id"], row["agent"], row["effort"], row["variant"]),
                (row["other_model_id"], row["other_agent"], row["other_effort"], row["other_variant"]),
            ): row
            for row in rows("select * from configuration_comparisons where task_type = ?", task_type)
        }
        assert compared.keys() == of_configurations.keys()
        for both, row in compared.items():
            agree(row, of_configurations[both], {})
    return verdicts


def contents(warehouse: Warehouse, table: str) -> list[tuple[Any, ...]]:
    """Return the rows of a table in a fixed order, without how far a block is counted."""
    names = [row[1] for row in warehouse.query(f"pragma table_info({table})") if not row[1].startswith("last_")]
    return sorted(warehouse.query(f"select {', '.join(names)} from {table}"), key=repr)


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Log:
    folder = tmp_path_factory.mktemp("pairs")
    project = copy_of_project(folder / "project")
    (project / "workspace" / "seeds" / "model_aliases.csv").write_text(f"alias,model_id\n{ALIAS},able\n")
    (folder / "log").mkdir()
    warehouse = empty_log(folder / "log")
    warehouse.project = project
    log = Log(warehouse)
    log.record(2500, first_id=1, last_month=2)
    log.correct(120)
    warehouse.build(*SELECTED)
    return log


def test_the_marts_equal_the_reference_after_each_build_and_a_full_refresh(log: Log) -> None:
    check(log)
    # Late outcomes of earlier months and tasks, a new block of tasks, and corrections of old and of new outcomes.
    log.record(1500, first_id=10_500, last_month=3)
    log.correct(200)
    log.warehouse.build(*SELECTED)
    assert check(log) >= {"rival_better", "model_better", "no_verdict_yet", "too_few_trials"}
    grown = {table: contents(log.warehouse, table) for table in ("int_strata_counted", "int_pair_blocks")}
    assert len({row[2] for row in grown["int_pair_blocks"] if row[1] == "task"}) >= 2
    log.warehouse.loader("build", "--quiet", "--full-refresh", "--select", " ".join(SELECTED))
    assert {table: contents(log.warehouse, table) for table in grown} == grown
    check(log)


def test_a_correction_alone_changes_its_pair(log: Log) -> None:
    log.correct(5)
    log.warehouse.build(*SELECTED)
    check(log)


def test_the_rankings_of_configurations_add_up_to_those_of_models(log: Log) -> None:
    counts = "sum(trials), sum(successes), sum(infrastructure_failures), sum(priced_trials)"
    models = log.warehouse.query(
        f"select task_type, model_id, {counts}, round(sum(total_cost), 6) from model_stats group by 1, 2 order by 1, 2"
    )
    configurations = log.warehouse.query(
        f"select task_type, model_id, {counts}, round(sum(total_cost), 6) from configuration_rankings"
        " group by 1, 2 order by 1, 2"
    )
    assert models == configurations
    trials = log.trials()
    for row in log.warehouse.rows("select * from configuration_rankings"):
        name = tuple(row[key] for key in ("model_id", "agent", "effort", "variant"))
        own = [each for each in trials if (each["task_type"], configuration(each)) == (row["task_type"], name)]
        assert (row["trials"], row["successes"]) == (len(own), sum(each["success"] for each in own))

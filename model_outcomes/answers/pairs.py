"""Pairs of models at a task type: their difference at the same tasks or on the same days, and the tasks that only one
of them solved. The figures are those of the mart `model_pairs`, as of the last build."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from model_outcomes.answers import comparison, queries
from model_outcomes.answers.phrases import counted, named, percent, points
from model_outcomes.answers.terminal.words import shortened
from model_outcomes.base.console import printable
from model_outcomes.base.errors import OutcomesError

TASKS_SHOWN = 10
TASK_WIDTH = 60
SWAPPED = {"model_better": "rival_better", "rival_better": "model_better"}
OF_THE_MODEL = {
    "model_id": "rival_model_id", "trials": "rival_trials", "success_rate": "rival_success_rate",
    "shared_trials": "rival_shared_trials", "only_model_succeeded": "only_rival_succeeded",
}  # fmt: skip


def of_task_type(connection: sqlite3.Connection, task_type: str) -> queries.Answer:
    """Return the rows of `model_pairs` at a task type, those with the strongest evidence first."""
    return queries.rows(
        connection,
        "select * from model_pairs where task_type = ? order by coalesce(e_value, -1) desc, model_id, rival_model_id",
        (task_type,),
    )


def pair(connection: sqlite3.Connection, task_type: str, model: str, rival: str) -> dict[str, Any]:
    """Return the row of `model_pairs` for two models, in this order, with the lists `only_model_tasks` and
    `only_rival_tasks`.

    A task in a list is a row with `task_id`, `agent`, `effort` and `variant` (None if not recorded). Both models tried
    it in that configuration, and the first try of only one of them succeeded. Raises OutcomesError if a model has no
    trial at the task type or both are the same.
    """
    model_id, rival_id = comparison.canonical(connection, model), comparison.canonical(connection, rival)
    if model_id == rival_id:
        raise OutcomesError(f"{model} and {rival} are the same model")
    for name, canonical in ((model, model_id), (rival, rival_id)):
        _expect_model(connection, task_type, name, canonical)
    rows = queries.rows(
        connection,
        "select * from model_pairs where task_type = ?1 and model_id in (?2, ?3) and rival_model_id in (?2, ?3)",
        (task_type, model_id, rival_id),
    )
    if not rows:
        raise OutcomesError(
            f"{model} and {rival} are not compared: the last build is older than their outcomes, or the task type has"
            " too many models (max_paired_configurations)"
        )
    (row,) = rows
    ordered = row if row["model_id"] == model_id else _swapped(row)
    return {**ordered, **_single_solvers(connection, task_type, model_id, rival_id)}


def in_words(row: dict[str, Any], level: str) -> str:
    """Return a pair as sentences, with the lists of tasks. `level` is that of one interval alone: `95 %`."""
    model, rival = named(row["model_id"]), named(row["rival_model_id"])
    lines = [
        f"{model}: {percent(row['success_rate'])} of {counted(row['trials'], 'trial')}",
        f"{rival}: {percent(row['rival_success_rate'])} of {counted(row['rival_trials'], 'trial')}",
        *_difference(row, model, rival, level),
    ]
    if row["shared_tasks"]:
        lines.append(
            f"{counted(row['shared_tasks'], 'shared task')}, first try: both {row['both_succeeded']:,},"
            f" only {model} {row['only_model_succeeded']:,}, only {rival} {row['only_rival_succeeded']:,},"
            f" neither {row['neither_succeeded']:,}"
        )
    for name, tasks in ((model, row["only_model_tasks"]), (rival, row["only_rival_tasks"])):
        if tasks:
            lines += [f"Only {name} solved:", *_tasks(tasks)]
    return "\n".join(lines)


def verdict_in_words(row: dict[str, Any]) -> str:
    """Return the verdict of a pair in words."""
    words = {
        "model_better": f"{named(row['model_id'])} is surely better",
        "rival_better": f"{named(row['rival_model_id'])} is surely better",
        "no_verdict_yet": "no verdict yet",
        "too_few_trials": "too few trials in common",
        "no_common_ground": "no common task or day",
    }
    return words[row["verdict"]]


def _difference(row: dict[str, Any], model: str, rival: str, level: str) -> list[str]:
    verdict = f"Verdict: {verdict_in_words(row)}"
    if row["verdict"] == "no_common_ground":
        return [
            f"{verdict}. Both models need tasks, or days, under one agent, effort and variant;"
            " let both try the same tasks."
        ]
    if row["difference"] is None:
        return [verdict]
    preposition = "at" if row["strata_name"] == "tasks" else "on"
    where = (
        f"{preposition} the same {row['strata_name']} ({row['strata']:,})" if row["strata_name"] else "in all trials"
    )
    lines = [f"{rival} against {model} {where}: {points(row['difference'])} points"]
    if row["difference_lower"] is not None:
        pairs = counted(row["compared_pairs"], "pair")
        lines.append(
            f"Interval: {points(row['difference_lower'])} to {points(row['difference_upper'])}, valid at every look"
            f" ({level} for {pairs} together)"
        )
    lines.append(verdict)
    if row["is_confounded"]:
        lines.append(
            f"The plain rates differ by {points(row['naive_difference'])} points: the models got different tasks or"
            " days, or other agents ran them."
        )
    return lines


def _tasks(tasks: Sequence[dict[str, Any]]) -> list[str]:
    lines = []
    for task in tasks[:TASKS_SHOWN]:
        configuration = ", ".join(printable(task[key]) for key in ("agent", "effort", "variant") if task[key])
        lines.append(f"  {shortened(task['task_id'], TASK_WIDTH)}{f' ({configuration})' if configuration else ''}")
    if (more := len(tasks) - TASKS_SHOWN) > 0:
        lines.append(f"  and {more:,} more (--json lists all)")
    return lines


def _swapped(row: dict[str, Any]) -> dict[str, Any]:
    """Return a pair from the side of the other model."""
    swapped = dict(row)
    for name, other in OF_THE_MODEL.items():
        swapped[name], swapped[other] = row[other], row[name]
    for name in ("naive_difference", "difference"):
        swapped[name] = None if row[name] is None else -row[name]
    lower, upper = row["difference_lower"], row["difference_upper"]
    swapped["difference_lower"] = None if upper is None else -upper
    swapped["difference_upper"] = None if lower is None else -lower
    swapped["verdict"] = SWAPPED.get(row["verdict"], row["verdict"])
    return swapped


def _single_solvers(
    connection: sqlite3.Connection, task_type: str, model_id: str, rival_id: str
) -> dict[str, queries.Answer]:
    """Return the tasks that the first try of only one of two models solved, as two lists."""
    rows = queries.rows(
        connection,
        """
        with tries as (
            select
                *,
                row_number() over (
                    partition by task_id, model_id, agent, effort, variant order by occurred_at, outcome_id
                ) as try_number
            from int_task_trials
            where task_type = ?1 and model_id in (?2, ?3)
        ),
        firsts as (select * from tries where try_number = 1)
        select
            firsts.task_id,
            nullif(firsts.agent, '') as agent,
            nullif(firsts.effort, '') as effort,
            nullif(firsts.variant, '') as variant,
            firsts.is_success
        from firsts
        inner join firsts as rivals
            on
                firsts.task_id = rivals.task_id
                and firsts.agent = rivals.agent
                and firsts.effort = rivals.effort
                and firsts.variant = rivals.variant
        where firsts.model_id = ?2 and rivals.model_id = ?3 and firsts.is_success <> rivals.is_success
        order by 1, 2, 3, 4
        """,
        (task_type, model_id, rival_id),
    )
    names = ("task_id", "agent", "effort", "variant")
    return {
        key: [{name: row[name] for name in names} for row in rows if row["is_success"] == is_success]
        for key, is_success in (("only_model_tasks", 1), ("only_rival_tasks", 0))
    }


def _expect_model(connection: sqlite3.Connection, task_type: str, name: str, canonical: str) -> None:
    """Raise OutcomesError if a model has no trial at a task type. Name those that have."""
    models = [
        row["model_id"]
        for row in queries.rows(
            connection,
            "select model_id from model_stats where task_type = ? and trials > 0 order by trials desc, model_id",
            (task_type,),
        )
    ]
    if canonical not in models:
        more = ", ..." if len(models) > TASKS_SHOWN else ""
        raise OutcomesError(
            f"no trials of {name!r} at task type {task_type!r}; choose from: {', '.join(models[:TASKS_SHOWN])}{more}"
        )

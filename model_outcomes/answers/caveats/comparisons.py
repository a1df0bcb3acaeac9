"""Checks of comparisons: whether trials are enough, recent and comparable, and can both succeed and fail."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from model_outcomes.answers import build_settings
from model_outcomes.answers.caveats.caveat import Caveat, Check, Kind, caveat_of, cell, short_name
from model_outcomes.answers.phrases import counted, points

STALE_DAYS = 7


def degenerate(marts: sqlite3.Connection) -> Iterator[Caveat]:
    query = """
        select task_type, sum(trials) as trials, sum(successes) as successes
        from model_rankings where is_degenerate = 1 group by task_type
    """
    yield from caveat_of(
        marts, query, "trials desc, task_type",
        lambda row: f"{short_name(row['task_type'])}: every trial {'succeeded' if row['successes'] else 'failed'}"
        f" ({row['trials']:,})",
        Kind.DEGENERATE,
        "Only successes or only failures",
        "The recorder may not check the result. Do not choose a model by these task types.",
        "Make sure that the recorder checks the result of each task.",
    )  # fmt: skip


def experiments(kind: Kind, column: str, title: str, consequence: str, next_step: str | None) -> Check:
    """Return a check that names the experiments whose `column` is 1."""

    def check(marts: sqlite3.Connection) -> Iterator[Caveat]:
        query = f"select task_type, experiment_id from ab_comparisons where {column} = 1"
        yield from caveat_of(
            marts, query, "experiment_id", lambda row: short_name(row["experiment_id"]),
            kind, title, consequence, next_step,
        )  # fmt: skip

    return check


def confounded_leader(marts: sqlite3.Connection) -> Iterator[Caveat]:
    query = """
        select
            pairs.task_type,
            rankings.model_id,
            recommendations.incumbent_model_id,
            pairs.strata_name,
            case when pairs.model_id = rankings.model_id then -pairs.difference else pairs.difference end as difference,
            case when pairs.model_id = rankings.model_id then -pairs.naive_difference else pairs.naive_difference end
                as naive_difference
        from recommendations
        inner join model_rankings as rankings
            on recommendations.task_type = rankings.task_type and rankings.rank = 1
        inner join model_pairs as pairs
            on
                recommendations.task_type = pairs.task_type
                and pairs.model_id in (rankings.model_id, recommendations.incumbent_model_id)
                and pairs.rival_model_id in (rankings.model_id, recommendations.incumbent_model_id)
        where pairs.is_confounded = 1 and pairs.verdict not in ('too_few_trials', 'no_common_ground')
    """

    def text(row: dict[str, Any]) -> str:
        same = "tasks and days" if row["strata_name"] == "days and tasks" else row["strata_name"]
        return (
            f"{short_name(row['task_type'])}: {short_name(row['model_id'])} against"
            f" {short_name(row['incumbent_model_id'])}: {points(row['naive_difference'])} points in all trials,"
            f" {points(row['difference'])} on the same {same}"
        )

    yield from caveat_of(
        marts, query, "task_type", text,
        Kind.CONFOUNDED_LEADER,
        "The plain rates mislead",
        "The model of rank 1 and the incumbent got different tasks or days, or other agents ran them. Trust the"
        " difference on the same ones.",
        "Let both models try the same tasks; see loader pairs TASK_TYPE.",
    )  # fmt: skip


def two_leaders(marts: sqlite3.Connection) -> Iterator[Caveat]:
    query = """
        select
            leaders.task_type,
            leaders.model_id,
            leaders.same_task_rank,
            strongest.model_id as same_task_model_id,
            strongest.rank as same_task_model_rank
        from model_rankings as leaders
        inner join model_rankings as strongest
            on leaders.task_type = strongest.task_type and strongest.same_task_rank = 1
        where leaders.rank = 1 and leaders.same_task_rank > 1 and strongest.rank is not null
    """
    yield from caveat_of(
        marts, query, "task_type",
        lambda row: f"{cell(row)} has rank 1, but {short_name(row['same_task_model_id'])} (rank"
        f" {row['same_task_model_rank']:,}) did best at the same tasks",
        Kind.TWO_LEADERS,
        "The rank and the same tasks disagree",
        "Harder tasks may have gone to some of the models, so that their plain rates are too low.",
        "Compare the models at the same tasks: loader pairs TASK_TYPE.",
    )  # fmt: skip


def many_models(marts: sqlite3.Connection) -> Iterator[Caveat]:
    query = """
        select task_type, count(*) as models, sum(probability_best is not null) as compared_models
        from model_rankings where is_capped = 1 group by task_type
    """
    yield from caveat_of(
        marts, query, "models desc, task_type",
        lambda row: f"{short_name(row['task_type'])}: {row['models']:,} models, {row['compared_models']:,} of them"
        " compared",
        Kind.MANY_MODELS,
        "Too many models",
        "Not all models of these task types were compared with each other, so the range from best to worst rank is"
        " wider than the data require.",
        "Check that model_id holds the name of a model and not the id of a run.",
    )  # fmt: skip


def stale_task_types(marts: sqlite3.Connection) -> Iterator[Caveat]:
    query = f"""
        select task_type, date(max(last_used)) as last_date
        from model_stats group by task_type
        having date(max(last_used), '+{STALE_DAYS} days') < (select date(max(last_used)) from model_stats)
    """
    yield from caveat_of(
        marts, query, "last_date, task_type",
        lambda row: f"{short_name(row['task_type'])}: nothing since {row['last_date']}",
        Kind.STALE_TASK_TYPES,
        "Stale task types",
        "Other task types have newer outcomes. The figures of these describe the models at that time.",
    )  # fmt: skip


def few_trials(marts: sqlite3.Connection) -> Iterator[Caveat]:
    least = build_settings.read(marts).min_trials_per_arm
    query = f"select task_type, model_id, trials from model_stats where trials between 1 and {least - 1}"
    yield from caveat_of(
        marts, query, "trials, task_type, model_id", lambda row: f"{cell(row)}: {counted(row['trials'], 'trial')}",
        Kind.FEW_TRIALS,
        "Too few trials",
        f"With fewer than {least} trials no model is surely better or worse.",
    )  # fmt: skip

"""Checks of comparisons: whether trials are enough, recent and comparable, and can both succeed and fail."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from model_outcomes.answers.caveats.caveat import Caveat, Check, Kind, caveat_of, cell, short_name
from model_outcomes.answers.phrases import counted

STALE_DAYS = 7
THIN_TRIALS = 30


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
    query = f"select task_type, model_id, trials from model_stats where trials between 1 and {THIN_TRIALS - 1}"
    yield from caveat_of(
        marts, query, "trials, task_type, model_id", lambda row: f"{cell(row)}: {counted(row['trials'], 'trial')}",
        Kind.FEW_TRIALS,
        "Too few trials",
        f"With fewer than {THIN_TRIALS} trials no model is surely better or worse.",
    )  # fmt: skip

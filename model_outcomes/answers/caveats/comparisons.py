"""Checks of what models are compared by: trials that are many, recent, alike, and could go either way."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from model_outcomes.answers import build_settings
from model_outcomes.answers.caveats.caveat import Caveat, Kind
from model_outcomes.answers.caveats.queries import Check, caveat_of, cell, short_name
from model_outcomes.answers.phrases import counted

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
        "Nobody ever succeeds, or nobody ever fails",
        "The recorder may not check the result. Do not choose a model by these task types.",
        "Check that the recorder looks at the result of each task.",
    )  # fmt: skip


def experiments(kind: Kind, column: str, title: str, consequence: str, next_step: str | None) -> Check:
    """Return the check that names the experiments whose `column` is 1."""

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
        "Very many models",
        "Not all models of these task types were compared with each other: the best and worst ranks are wider than the"
        " data allows.",
        "Check that model_id holds the name of a model, and no run id.",
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
        "Other task types went on meanwhile. These describe the models as they were then.",
    )  # fmt: skip


def few_trials(marts: sqlite3.Connection) -> Iterator[Caveat]:
    least = build_settings.read(marts).min_trials_per_arm
    query = f"select task_type, model_id, trials from model_stats where trials between 1 and {least - 1}"
    yield from caveat_of(
        marts, query, "trials, task_type, model_id", lambda row: f"{cell(row)}: {counted(row['trials'], 'trial')}",
        Kind.FEW_TRIALS,
        "Tried too seldom",
        f"With fewer than {least} trials no model is surely better or worse.",
    )  # fmt: skip

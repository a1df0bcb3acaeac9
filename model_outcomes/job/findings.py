"""Findings of a run, which need attention now, and changes since the run before. Both are read from the marts.

Findings change the exit code only with `--fail-on`.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec

from model_outcomes.answers import queries
from model_outcomes.answers.queries import Answer
from model_outcomes.answers.verdicts import BETTER_ARMS, FORMER_BETTER_ARMS

NEVER = "0001-"  # dbt's max_loaded_at of a source without rows begins with this


class Findings(msgspec.Struct):
    """The current findings: sources without new outcomes, models to demote, drift alarms, and task types in which every
    trial succeeded or every trial failed."""

    stale: Answer = []
    demotion: Answer = []
    drift: Answer = []
    degenerate: Answer = []


class Changes(msgspec.Struct):
    """The changes since the run `since`. If `since` is None, no run came before, and everything is new."""

    since: str | None
    new_leaders: Answer
    new_verdicts: Answer
    new_recommendations: Answer
    new_demotion_candidates: Answer
    new_ab_test_candidates: Answer
    new_drift_alarms: Answer
    new_models: list[str]
    new_task_types: list[str]


class State(msgspec.Struct):
    """The state of the marts, with which the next run compares."""

    leaders: dict[str, str] = {}
    verdicts: dict[str, str] = {}
    demotion_candidates: list[tuple[str, str]] = []
    ab_test_candidates: list[tuple[str, str]] = []
    drift_alarms: list[tuple[str, str]] = []
    models: list[str] = []
    task_types: list[str] = []
    recommendations: dict[str, tuple[str, str | None, str | None]] = {}


# The changes that `--fail-on` can name.
CHANGES = {"new_demotion": "new_demotion_candidates", "new_verdict": "new_verdicts", "new_drift": "new_drift_alarms"}

QUERIES = {
    "demotion": """
        select task_type, model_id, incumbent_model_id, reason from demotion_candidates
        where is_worse_than_incumbent = 1 or is_worse_than_leader = 1 order by task_type, model_id
    """,
    "drift": """
        select task_type, model_id, drifting_since from demotion_candidates
        where is_drifting = 1 order by task_type, model_id
    """,
    "degenerate": """
        select task_type, count(*) as models, sum(trials) as trials, sum(successes) as successes
        from model_rankings where is_degenerate = 1 group by task_type order by task_type
    """,
    "ab_tests": "select task_type, model_id, incumbent_model_id, reason from ab_test_candidates order by 1, 2",
    "leaders": """
        select task_type, model_id from model_rankings
        where
            (task_type, rank) in (
                select task_type, min(rank) from model_rankings where is_retired = 0 group by task_type
            )
        order by task_type
    """,
    "verdicts": f"""
        select experiment_id, task_type, incumbent_model_id, challenger_model_id, verdict, first_decided_at
        from ab_comparisons
        where verdict in {(*BETTER_ARMS, *FORMER_BETTER_ARMS)}
        order by experiment_id
    """,
    "recommendations": """
        select task_type, action, model_id, incumbent_model_id, alternative_model_id, reason from recommendations
        order by task_type
    """,
    "models": "select distinct model_id from model_rankings order by 1",
    "task_types": "select distinct task_type from model_rankings order by 1",
}

Answers = dict[str, Answer]  # by the names in QUERIES


def read(marts: sqlite3.Connection) -> Answers:
    """Return the rows from which findings, changes and state are made."""
    return {name: queries.rows(marts, query) for name, query in QUERIES.items()}


def find(answers: Answers, stale: Answer) -> Findings:
    """Return the findings in the marts; `stale` is the result of `stale_sources`."""
    return Findings(stale, answers["demotion"], answers["drift"], answers["degenerate"])


def counts(names: tuple[str, ...], findings: Findings, changes: Changes) -> dict[str, int]:
    """Return the number of findings of each name in `names` (see `--fail-on`), without zeros."""
    rows = {name: getattr(changes, CHANGES[name]) if name in CHANGES else getattr(findings, name) for name in names}
    return {name: len(answer) for name, answer in rows.items() if answer}


def state(answers: Answers) -> State:
    """Return the current state of the marts."""
    return State(
        leaders=dict(_pairs(answers["leaders"])),
        verdicts={row["experiment_id"]: row["verdict"] for row in answers["verdicts"]},
        demotion_candidates=_pairs(answers["demotion"]),
        ab_test_candidates=_pairs(answers["ab_tests"]),
        drift_alarms=_pairs(answers["drift"]),
        models=[row["model_id"] for row in answers["models"]],
        task_types=[row["task_type"] for row in answers["task_types"]],
        recommendations={row["task_type"]: _advised(row) for row in answers["recommendations"]},
    )


def changes(answers: Answers, since: str | None, before: State | None) -> Changes:
    """Return the changes in the marts since the run `since`, after which their state was `before`."""
    now, old = state(answers), before or State()
    return Changes(
        since=since,
        new_leaders=[
            {**row, "previous_model_id": old.leaders.get(row["task_type"])}
            for row in answers["leaders"]
            if old.leaders.get(row["task_type"]) != row["model_id"]
        ],
        new_verdicts=[
            row
            for row in answers["verdicts"]
            if _is_new_verdict(row["verdict"], old.verdicts.get(row["experiment_id"]))
        ],
        new_recommendations=[
            row for row in answers["recommendations"] if old.recommendations.get(row["task_type"]) != _advised(row)
        ],
        new_demotion_candidates=_new(answers["demotion"], old.demotion_candidates),
        new_ab_test_candidates=_new(answers["ab_tests"], old.ab_test_candidates),
        new_drift_alarms=_new(answers["drift"], old.drift_alarms),
        new_models=sorted(set(now.models) - set(old.models)),
        new_task_types=sorted(set(now.task_types) - set(old.task_types)),
    )


def _advised(row: dict[str, Any]) -> tuple[str, str | None, str | None]:
    """Return the columns that identify a recommendation, without the figures, which change at every run."""
    return row["action"], row["model_id"], row["alternative_model_id"]


def _is_new_verdict(verdict: str, before: str | None) -> bool:
    """Return True if a verdict is new. A former verdict is new only if an earlier run had the verdict itself."""
    return verdict != before and (before is not None or verdict not in FORMER_BETTER_ARMS)


def stale_sources(sources: Any) -> Answer:
    """Return the sources in dbt's sources.json that are older than a limit, or have no row."""
    stale = []
    for result in sources["results"]:
        if result["status"] != "pass":
            newest = result.get("max_loaded_at")
            is_empty = newest is None or newest.startswith(NEVER)
            stale.append(
                {
                    "source": result["unique_id"].removeprefix("source."),
                    "status": result["status"],
                    "newest_at": None if is_empty else newest,
                    "age_seconds": None if is_empty else result["max_loaded_at_time_ago_in_s"],
                }
            )
    return stale


def _pairs(answer: Answer) -> list[tuple[str, str]]:
    return [(row["task_type"], row["model_id"]) for row in answer]


def _new(answer: Answer, old: list[tuple[str, str]]) -> Answer:
    return [row for row in answer if (row["task_type"], row["model_id"]) not in set(old)]

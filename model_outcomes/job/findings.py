"""Findings of a run, which need attention now, and changes since the run before. Both are read from the marts.

Findings change the exit code only with `--fail-on`.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec

from model_outcomes.answers import queries
from model_outcomes.answers.queries import Answer

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

    def count(self) -> int:
        return sum(len(getattr(self, name)) for name in self.__struct_fields__ if name != "since")


class State(msgspec.Struct):
    """The state of the marts, with which the next run compares."""

    leaders: dict[str, str]
    verdicts: dict[str, str]
    demotion_candidates: list[tuple[str, str]]
    ab_test_candidates: list[tuple[str, str]]
    drift_alarms: list[tuple[str, str]]
    models: list[str]
    task_types: list[str]
    recommendations: dict[str, tuple[str, str | None, str | None]] = {}


# The changes that `--fail-on` can name.
NEWS = {"new_demotion": "new_demotion_candidates", "new_verdict": "new_verdicts", "new_drift": "new_drift_alarms"}

DEMOTION = """
    select task_type, model_id, incumbent_model_id, reason from demotion_candidates
    where is_worse_than_incumbent = 1 or is_worse_than_leader = 1 order by task_type, model_id
"""
DRIFT = """
    select task_type, model_id, drifting_since from demotion_candidates
    where is_drifting = 1 order by task_type, model_id
"""
DEGENERATE = """
    select task_type, count(*) as models, sum(trials) as trials, sum(successes) as successes
    from model_rankings where is_degenerate = 1 group by task_type order by task_type
"""
AB_TESTS = "select task_type, model_id, incumbent_model_id, reason from ab_test_candidates order by 1, 2"
LEADERS = "select task_type, model_id from model_rankings where rank = 1 order by task_type"
VERDICTS = """
    select experiment_id, task_type, incumbent_model_id, challenger_model_id, verdict, first_decided_at
    from ab_comparisons
    where verdict in ('challenger_better', 'incumbent_better', 'was_challenger_better', 'was_incumbent_better')
    order by experiment_id
"""
RECOMMENDATIONS = """
    select task_type, action, model_id, incumbent_model_id, alternative_model_id, reason from recommendations
    order by task_type
"""
MODELS = "select distinct model_id from model_rankings order by 1"
TASK_TYPES = "select distinct task_type from model_rankings order by 1"


def find(connection: sqlite3.Connection, stale: Answer) -> Findings:
    """Return the findings in the marts; `stale` is the result of `stale_sources`."""
    return Findings(
        stale=stale,
        demotion=queries.rows(connection, DEMOTION),
        drift=queries.rows(connection, DRIFT),
        degenerate=queries.rows(connection, DEGENERATE),
    )


def counts(names: tuple[str, ...], findings: Findings, changes: Changes) -> dict[str, int]:
    """Return the number of findings of each name in `names` (see `--fail-on`), without zeros."""
    rows = {name: getattr(changes, NEWS[name]) if name in NEWS else getattr(findings, name) for name in names}
    return {name: len(answer) for name, answer in rows.items() if answer}


def state(connection: sqlite3.Connection) -> State:
    """Return the current state of the marts."""
    return State(
        leaders=dict(connection.execute(LEADERS).fetchall()),
        verdicts={row["experiment_id"]: row["verdict"] for row in queries.rows(connection, VERDICTS)},
        demotion_candidates=_pairs(queries.rows(connection, DEMOTION)),
        ab_test_candidates=_pairs(queries.rows(connection, AB_TESTS)),
        drift_alarms=_pairs(queries.rows(connection, DRIFT)),
        models=[model for (model,) in connection.execute(MODELS)],
        task_types=[task_type for (task_type,) in connection.execute(TASK_TYPES)],
        recommendations={row["task_type"]: _advised(row) for row in queries.rows(connection, RECOMMENDATIONS)},
    )


def changes(connection: sqlite3.Connection, since: str | None, before: State | None) -> Changes:
    """Return the changes in the marts since the run `since`, after which their state was `before`."""
    old = before or State({}, {}, [], [], [], [], [])
    leaders = queries.rows(connection, LEADERS)
    return Changes(
        since=since,
        new_leaders=[
            {**row, "previous_model_id": old.leaders.get(row["task_type"])}
            for row in leaders
            if old.leaders.get(row["task_type"]) != row["model_id"]
        ],
        new_verdicts=[
            row
            for row in queries.rows(connection, VERDICTS)
            if _is_new_verdict(row["verdict"], old.verdicts.get(row["experiment_id"]))
        ],
        new_recommendations=[
            row
            for row in queries.rows(connection, RECOMMENDATIONS)
            if old.recommendations.get(row["task_type"]) != _advised(row)
        ],
        new_demotion_candidates=_new(queries.rows(connection, DEMOTION), old.demotion_candidates),
        new_ab_test_candidates=_new(queries.rows(connection, AB_TESTS), old.ab_test_candidates),
        new_drift_alarms=_new(queries.rows(connection, DRIFT), old.drift_alarms),
        new_models=sorted({model for (model,) in connection.execute(MODELS)} - set(old.models)),
        new_task_types=sorted({each for (each,) in connection.execute(TASK_TYPES)} - set(old.task_types)),
    )


def _advised(row: dict[str, Any]) -> tuple[str, str | None, str | None]:
    """Return the columns that identify a recommendation, without the figures, which change at every run."""
    return row["action"], row["model_id"], row["alternative_model_id"]


def _is_new_verdict(verdict: str, before: str | None) -> bool:
    """Return whether a verdict is new. `was_...` is new only if an earlier run named the verdict."""
    return verdict != before and (before is not None or not verdict.startswith("was_"))


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

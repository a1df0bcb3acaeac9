"""Checks of failed attempts: why they failed, and whether the reason is recorded."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any

from model_outcomes.answers import queries
from model_outcomes.answers.caveats.caveat import PLACES_SHOWN, Caveat, Kind, caveat_of, cell, short_name
from model_outcomes.answers.phrases import counted, listed, percent, unknown_causes

OUTAGE_ATTEMPTS = 10
SILENT_FAILURES = 100  # it is suspicious if so many failures include no timeout


def lost_attempts(marts: sqlite3.Connection) -> Iterator[Caveat]:
    query = """
        select task_type, model_id, infrastructure_failures, trials + infrastructure_failures as attempts, lost_share,
            trials, success_rate
        from model_stats where has_many_lost_attempts = 1
    """

    def text(row: dict[str, Any]) -> str:
        rate = (
            "no trial is left"
            if row["success_rate"] is None
            else f"the success rate of the other {row['trials']:,} is {percent(row['success_rate'])}"
        )
        return (
            f"{cell(row)}: {row['infrastructure_failures']:,} of {row['attempts']:,} attempts lost"
            f" ({percent(row['lost_share'])}); {rate}"
        )

    yield from caveat_of(
        marts, query, "infrastructure_failures desc, task_type, model_id", text,
        Kind.LOST_ATTEMPTS,
        "Lost attempts",
        "These attempts failed because of the infrastructure, so they do not count against the model. The success rate"
        " is that of the other attempts, which may not be typical.",
        "Find out why so many attempts never reached the model.",
    )  # fmt: skip


def outages(marts: sqlite3.Connection) -> Iterator[Caveat]:
    query = f"""
        with lost_days as (
            select model_id, outcome_date, sum(attempts) as attempts,
                sum(attempts - trials) as infrastructure_failures
            from model_daily_trends
            group by model_id, outcome_date
            having sum(attempts - trials) > 0 and 2 * sum(attempts - trials) >= sum(attempts)
        )
        select model_id, sum(attempts) as attempts, sum(infrastructure_failures) as infrastructure_failures,
            count(*) as days, min(outcome_date) as first_date, max(outcome_date) as last_date,
            group_concat(outcome_date) as dates
        from (select * from lost_days order by model_id, outcome_date) group by model_id
        having sum(infrastructure_failures) >= {OUTAGE_ATTEMPTS}
    """

    def text(row: dict[str, Any]) -> str:
        days = listed(row["dates"].split(","), 3)
        return (
            f"{short_name(row['model_id'])} on {days}: {row['infrastructure_failures']:,} of"
            f" {row['attempts']:,} attempts lost"
        )

    yield from caveat_of(
        marts, query, "infrastructure_failures desc, model_id", text,
        Kind.OUTAGES,
        "Outages",
        "On these days at least half of the attempts never reached the model. They do not count against it. The few"
        " other attempts of these days may not be typical.",
        hidden=("dates",),
    )  # fmt: skip


def unknown_error_types(marts: sqlite3.Connection) -> Iterator[Caveat]:
    query = """
        select task_type, model_id, unknown_failures, failures, trials, successes, success_rate,
            success_rate_without_unknown
        from model_stats where unknown_failures > 0
    """
    error_types = queries.rows(
        marts,
        "select error_type, sum(failures) as failures from model_failures where attribution = 'unknown'"
        f" group by error_type order by 2 desc, 1 limit {PLACES_SHOWN}",
    )
    if not error_types:
        return
    ((failures, unknown),) = marts.execute(
        "select sum(failures), sum(case when attribution = 'unknown' then failures end) from model_failures"
    ).fetchall()
    names = listed([f"{short_name(row['error_type'])} ({row['failures']:,})" for row in error_types], PLACES_SHOWN)
    yield from caveat_of(
        marts, query, "unknown_failures desc, task_type, model_id",
        lambda row: f"{cell(row)}: {unknown_causes(row)}",
        Kind.UNKNOWN_ERROR_TYPES,
        "Unknown error types",
        f"{percent(unknown / failures)} of the failures have an error type that nobody classified: {names}."
        " They count against the model. The second rate is without them.",
        "Add them to seeds/error_types.csv as failures of the model or of the infrastructure; * is any text.",
        figures={
            "unknown_share_of_failures": unknown / failures,
            "error_types": {row["error_type"]: row["failures"] for row in error_types},
        },
    )  # fmt: skip


def missing_timeouts(marts: sqlite3.Connection) -> Iterator[Caveat]:
    # Finds error types such as timeout, timed_out, time-out and deadline exceeded.
    query = """
        select task_type, model_id, sum(failures - timeouts) as unmarked_failures
        from model_failures
        where
            attribution <> 'infrastructure'
            and (
                replace(replace(replace(lower(error_type), '_', ''), '-', ''), ' ', '') like '%timeout%'
                or replace(replace(replace(lower(error_type), '_', ''), '-', ''), ' ', '') like '%timedout%'
                or replace(replace(replace(lower(error_type), '_', ''), '-', ''), ' ', '') like '%deadlineexceeded%'
            )
        group by task_type, model_id
        having sum(failures - timeouts) > 0
    """
    caveats = list(caveat_of(
        marts, query, "unmarked_failures desc, task_type, model_id",
        lambda row: f"{cell(row)}: {counted(row['unmarked_failures'], 'failure')} with an error type that says timeout,"
        " but timeout = 0",
        Kind.MISSING_TIMEOUTS,
        "Missing timeouts",
        "Counts of timeouts are too low. Success rates are right.",
        "Record timeout = 1 for a failure that ran out of time.",
    ))  # fmt: skip
    failures, timeouts = marts.execute(
        "select coalesce(sum(failures), 0), coalesce(sum(timeouts), 0) from model_failures"
        " where attribution <> 'infrastructure'"
    ).fetchone()
    if not caveats and failures >= SILENT_FAILURES and not timeouts:
        yield Caveat(
            Kind.MISSING_TIMEOUTS,
            "Missing timeouts",
            f"None of {failures:,} failures is marked as a timeout. Either no attempt ran out of time, or the recorder"
            " does not record it. Success rates are right.",
            "If tasks have a time limit, record timeout = 1 for a failure that ran out of time.",
            figures={"failures": failures},
        )
    yield from caveats

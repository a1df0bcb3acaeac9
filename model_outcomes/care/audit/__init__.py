"""Audits the warehouse: computes every count and sum of the built tables and views again from the raw log.

Its SQL reads the log, the mirror, the opening balances and the seeds, and shares nothing with the dbt models. It
compares live views as of now, and a table as of the last outcome and the last correction in it, all in one read
transaction. So what came after the last build is no difference, and recorders and builds can work at the same time.
"""

from __future__ import annotations

import sqlite3
from typing import Any

import msgspec

from model_outcomes.base import console
from model_outcomes.care.audit import days, exact, experiments, rollups, uok
from model_outcomes.care.audit.comparison import Difference, compare
from model_outcomes.care.audit.places import Place, Places, row
from model_outcomes.log import store

SHOWN_DIFFERENCES = 50
CARRY_UNIT = 10**11  # a carry column of the dbt models counts these units
# Corrections that were taken back may leave a row of a rollup without an outcome, and without a recorded one.
HAS_OUTCOMES = (
    "not (last_outcome_id is null and outcomes = 0 and tokens_used = 0 and tokens_carry = 0 and cost_nano_usd = 0"
    " and cost_carry = 0)"
)


class Audit(msgspec.Struct, frozen=True):
    """The number of outcomes in the log, the number of compared rows of each table, and the differences."""

    outcomes: int
    rows: dict[str, int]
    differences: list[Difference]


def audit(connection: sqlite3.Connection) -> Audit:
    """Compare what dbt built with the log.

    Raises sqlite3.OperationalError ("no such table") before the first build.
    """
    connection.execute("pragma query_only = off")  # query_only would forbid temporary tables, too
    differences: list[Difference] = []
    rows: dict[str, int] = {}

    exact.add_functions(connection)
    with store.one_moment(connection):
        places = Places(connection)
        (outcomes,) = row(connection, "select count(*) from model_outcomes")
        (newest_load,) = row(connection, "select coalesce(max(load_id), 0) from legacy_model_stats")
        trends = places.of_days("model_daily_trends", "attempts")
        ranked, ranked_load = places.of_rankings()
        places.compute()
        connection.execute(days.MODEL_DAYS, places.values(trends))
        connection.execute(days.BY_DAY)
        corrections = places.corrections(places.daily)
        for correction_id in [*corrections, corrections[0]]:  # the first one again if none fits
            connection.execute("drop table if exists temp.audited_trials")
            connection.execute(experiments.TRIALS, {"correction": correction_id})
            if row(connection, experiments.COUNTED) == row(connection, experiments.COMPARED):
                break
        connection.execute(experiments.LEADER_TRIES, {"correction": correction_id})
        for statement in (experiments.COMPARED_DAYS, experiments.BY_COMPARISON, experiments.PAIRS, uok.MIRRORED):
            connection.execute(statement)
        tolerances = places.tolerances()

        def check(
            table: str, keys: int, columns: str, expected: str, where: str = "true", place: Place | None = None,
            **values: Any,
        ) -> None:  # fmt: skip
            query = f"select {columns} from {table} where {where}"
            values |= places.values(place) if place else {}
            rows[table], new_differences = compare(connection, table, keys, query, expected, values, tolerances)
            differences.extend(new_differences)

        check(
            "int_outcomes_totals", 4,
            "task_type, model_id, error_type, is_success, outcomes, timeouts, metered_outcomes, priced_outcomes,"
            f" {_exact('tokens_used', 'tokens_carry')}, {_exact('cost_nano_usd', 'cost_carry')}, cost_usd_squared,"
            " first_used, last_used, last_outcome_id",
            rollups.TOTALS, HAS_OUTCOMES, places.totals,
        )  # fmt: skip
        check(
            "int_outcomes_daily", 8,
            "outcome_date, task_type, model_id, agent, effort, variant, error_type, is_success, outcomes, timeouts,"
            f" metered_outcomes, priced_outcomes, {_exact('tokens_used', 'tokens_carry')}, tokens_squared,"
            f" {_exact('cost_nano_usd', 'cost_carry')}, cost_usd_squared, last_outcome_id",
            rollups.DAILY, HAS_OUTCOMES, places.daily,
        )  # fmt: skip
        check(
            "model_stats", 2,
            "task_type, model_id, successes, failures, timeouts, timed_out_successes, infrastructure_failures,"
            f" {_nano('infrastructure_cost')}, trials, total_tokens, {_nano('total_cost')}, metered_trials,"
            " priced_trials, first_used, last_used, legacy_successes, legacy_failures",
            rollups.STATS, place=places.now, load=newest_load,
        )  # fmt: skip
        columns = "task_type, model_id, successes, failures, {}, trials, total_tokens, total_cost, last_used"
        check(
            "model_rankings", 2,
            columns.format("priced_trials").replace("total_cost", _nano("total_cost")),
            f"select {columns.format('priced_trials')} from ({rollups.STATS})", place=ranked, load=ranked_load,
        )  # fmt: skip
        check(
            "federated_export", 2, "task_type, model_id, outcomes + waiting_outcomes", rollups.UNEXPORTED,
            place=places.now, load=newest_load,
        )  # fmt: skip
        sums = ("trials", "successes", "total_tokens")
        check(
            "model_daily_trends", 3,
            f"outcome_date, task_type, model_id, attempts, {', '.join(sums)}, {_nano('total_cost')}, "
            + ", ".join(
                f"{', '.join(f'{window}_{name}' for name in sums)}, {_nano(f'{window}_total_cost')}"
                for window in ("trailing_7d", "trailing_28d")
            ),
            days.TRENDS, last_day=_last_day(connection),
        )  # fmt: skip
        check(
            "demotion_candidates", 2,
            "task_type, model_id, trials, successes, incumbent_trials, incumbent_successes",
            rollups.DEMOTIONS, place=ranked,
        )  # fmt: skip
        check(
            "ab_test_candidates", 2, "task_type, model_id, trials, incumbent_trials",
            rollups.AB_TESTS, place=ranked, load=ranked_load,
        )  # fmt: skip
        check(
            "recommendations", 1, "task_type, model_trials, incumbent_trials, alternative_trials",
            rollups.RECOMMENDATIONS, place=ranked, load=ranked_load,
        )  # fmt: skip
        check(
            "int_experiment_outcomes", 2,
            "experiment_id, arm, count(*) as outcomes, sum(is_success) as successes,"
            " exact(sum(tokens_used / 1000000000), sum(tokens_used % 1000000000), 1000000000) as tokens_used,"
            " exact(sum(cost_nano_usd / 1000000000), sum(cost_nano_usd % 1000000000), 1000000000) as cost_nano_usd",
            experiments.OUTCOMES, where="is_checkpoint = 0 group by 1, 2",
        )  # fmt: skip
        trial_counts = (
            "incumbent_trials, incumbent_wins, challenger_trials, challenger_wins, both_succeeded,"
            " only_incumbent_succeeded, only_challenger_succeeded, neither_succeeded"
        )
        check("ab_comparisons", 1, f"experiment_id, {trial_counts}", experiments.COMPARISONS)
        check("ab_comparison_days", 2, f"experiment_id, outcome_date, {trial_counts}", experiments.COMPARISON_DAYS)
        check(
            "model_performance", 2,
            f"task_type, model_id, successes, failures, total_tokens, {_nano('total_cost')}, metered_outcomes,"
            " priced_outcomes, retries, escalations, verifications, verifications_passed, blockers, first_used,"
            " last_used",
            uok.PERFORMANCE,
        )  # fmt: skip
        check(
            "outcome_reconciliation", 2,
            "task_type, model_id, side, our_outcomes, uok_outcomes, our_successes, uok_successes, our_timeouts,"
            f" our_infrastructure_failures, total_tokens_difference, {_nano('total_cost_difference')}",
            uok.RECONCILED, place=places.now,
        )  # fmt: skip
    return Audit(outcomes, rows, differences)


def as_text(result: Audit) -> str:
    """Return a line for each difference, at most SHOWN_DIFFERENCES, or one line if there are no differences."""
    if not result.differences:
        rows = sum(result.rows.values())
        return f"{rows:,} rows of {len(result.rows)} tables and views agree with {result.outcomes:,} outcomes"
    lines = [
        f"{difference.table} ({', '.join(f'{name} {value}' for name, value in difference.key.items())})"
        f" {difference.column}: expected {difference.expected}, found {difference.actual}"
        for difference in result.differences[:SHOWN_DIFFERENCES]
    ]
    if len(result.differences) > SHOWN_DIFFERENCES:
        lines.append(f"and {len(result.differences) - SHOWN_DIFFERENCES:,} more: see --json")
    return "\n".join(map(console.printable, lines))


def as_json(result: Audit) -> str:
    """Return the whole result as one line of JSON."""
    return console.escaped(msgspec.json.encode(result).decode())


def _nano(column: str) -> str:
    return f"nano({column}) as {column}"


def _last_day(connection: sqlite3.Connection) -> str:
    """Return the last day in the calendar of days: the day after the build. A day that was ahead of the build may be in
    the past now."""
    (last_day,) = row(
        connection,
        "select min(date('now', '+1 day'), coalesce(date(min(outcome_date), '-1 day'), '9999-12-31'))"
        " from int_model_days_monitored where is_ahead = 1",
    )
    return str(last_day)


def _exact(rest: str, carry: str) -> str:
    return f"exact({carry}, {rest}, {CARRY_UNIT}) as {rest}"

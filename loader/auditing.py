"""The audit: every count and sum of the built tables and views, computed again from the raw log.

Its SQL reads the log, the mirror, the opening balances and the seeds, and shares nothing with the dbt models.
Live views are compared as of now, a table as of the last outcome that it has seen, all of it in
one reading transaction: outcomes that came after the last build are no difference, and recorders
and builds at work meanwhile neither wait nor matter.
"""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from heapq import merge
from itertools import groupby, repeat
from typing import Any

import msgspec

from loader.uok import auditing as uok

Row = tuple[Any, ...]

WANTED, THERE = 0, 1
DIFFERS = 1
SHOWN = 50


class Difference(msgspec.Struct, frozen=True):
    """One figure that is not what the log says; costs are whole nano-dollars. The column `*`
    stands for the row itself, with the number of rows of that key as `expected` and `found`."""

    table: str
    key: dict[str, Any]
    column: str
    expected: Any
    found: Any


class Audit(msgspec.Struct, frozen=True):
    """How many outcomes the log has, how many rows of each table were compared, and what differs."""

    outcomes: int
    rows: dict[str, int]
    differences: list[Difference]


# The log once, at the finest grain that any table has. `mark` is the first of the ids at which some
# table stopped, and not before this row; costs are rounded to nano-dollars row by row. The '+0 seconds'
# makes SQLite round to the millisecond in one way, with the carry into the next day.
CELLS = """
create temporary table audited_cells as
select
    {mark} as mark,
    date(timestamp, '+0 seconds') as outcome_date,
    task_type,
    model_id,
    coalesce(error_type, '') as error_type,
    success,
    count(*) as outcomes,
    count(*) filter (where timeout = 1 and success = 0) as timeouts,
    count(*) filter (where tokens_used <> 0) as metered,
    count(*) filter (where cost_usd <> 0 or cost_source in ('provider', 'local')) as priced,
    sum(tokens_used) as tokens,
    sum(1.0 * tokens_used * tokens_used) as tokens_squared,
    sum(cast(round(cost_usd * 1e9) as integer)) as nano_usd,
    sum(round(cost_usd * 1e9) * round(cost_usd * 1e9)) / 1e18 as usd_squared,
    min(strftime('%Y-%m-%d %H:%M:%f', timestamp, '+0 seconds')) as first_used,
    max(strftime('%Y-%m-%d %H:%M:%f', timestamp, '+0 seconds')) as last_used,
    max(id) as last_id
from model_outcomes
group by 1, 2, 3, 4, 5, 6
"""

ATTRIBUTED = """
create temporary view audited_outcomes as
select
    cells.*,
    coalesce(model_aliases.model_id, cells.model_id) as known_as,
    cells.success = 0 and coalesce(error_types.attribution, '') = 'infrastructure' as is_void
from audited_cells as cells
left join model_aliases on model_aliases.alias = cells.model_id
left join error_types on error_types.error_type = cells.error_type
"""

TOTALS = """
select
    task_type, model_id, error_type, success, sum(outcomes), sum(timeouts), sum(metered), sum(priced), sum(tokens),
    sum(nano_usd), sum(usd_squared), min(first_used), max(last_used), max(last_id)
from audited_cells
where mark <= :mark
group by 1, 2, 3, 4
"""

DAILY = """
select
    outcome_date, task_type, model_id, error_type, success, sum(outcomes), sum(timeouts), sum(metered), sum(priced),
    sum(tokens), sum(tokens_squared), sum(nano_usd), sum(usd_squared), max(last_id)
from audited_cells
where mark <= :mark
group by 1, 2, 3, 4, 5
"""

TRENDS = """
select
    outcome_date, task_type, known_as, sum(outcomes), sum(iif(is_void, 0, outcomes)), sum(iif(success, outcomes, 0)),
    sum(tokens), cast(round(sum(nano_usd) / 1e9 * 1e9) as integer)
from audited_outcomes
where mark <= :mark
group by 1, 2, 3
"""

# One row per task type and model: what model_stats, and all that is taken from it, should say.
STATS = """
with counted as (
    select
        task_type, known_as as model_id, iif(success, outcomes, 0) as successes, iif(success, 0, outcomes) as failures,
        timeouts, iif(is_void, outcomes, 0) as void, iif(is_void, nano_usd, 0) as void_nano_usd, tokens, nano_usd,
        iif(is_void, 0, metered) as metered, iif(is_void, 0, priced) as priced, first_used, last_used,
        0 as old_successes, 0 as old_failures
    from audited_outcomes
    where mark <= :mark
    union all
    select
        balances.task_type, coalesce(model_aliases.model_id, balances.model_id), successes, failures,
        timeouts, 0, 0, total_tokens, total_cost_nano_usd,
        0, 0, null, strftime('%Y-%m-%d %H:%M:%f', last_used, '+0 seconds'),
        successes, failures
    from legacy_model_stats as balances
    left join model_aliases on model_aliases.alias = balances.model_id
    where load_id <= :load
)
select
    task_type, model_id, sum(successes) as successes, sum(failures) as failures, sum(timeouts) as timeouts,
    sum(void) as infrastructure_failures, cast(round(sum(void_nano_usd) / 1e9 * 1e9) as integer) as infrastructure_cost,
    sum(successes) + sum(failures) - sum(void) as trials, sum(tokens) as total_tokens,
    cast(round(sum(nano_usd) / 1e9 * 1e9) as integer) as total_cost, sum(metered) as metered_trials,
    sum(priced) as priced_trials, min(first_used) as first_used, max(last_used) as last_used,
    sum(old_successes) as legacy_successes, sum(old_failures) as legacy_failures
from counted
group by 1, 2
"""

# What happened up to the next export's last day, less what was told of it.
UNEXPORTED = """
with outcomes as (
    select task_type, known_as as model_id, outcomes
    from audited_outcomes
    where mark <= :mark and outcome_date <= (select max(window_last_day) from federated_export)
    union all
    select task_type, coalesce(model_aliases.model_id, balances.model_id), successes + failures
    from legacy_model_stats as balances left join model_aliases on model_aliases.alias = balances.model_id
    where load_id <= :load
),
told as (
    select
        coalesce((select published_name from federated_names where kind = 'task_type' and name = task_type), task_type)
            as task_type,
        coalesce((select published_name from federated_names where kind = 'model_id' and name = model_id), model_id)
            as model_id,
        outcomes
    from outcomes
    union all
    select task_type, model_id, -outcomes
    from federated_export_rows inner join federated_exports using (export_id) where replaced_by is null
)
select task_type, model_id, sum(outcomes) from told group by 1, 2
"""

EXPERIMENTS = """
with names as (
    select distinct model_id as name, known_as from audited_outcomes
),
experiments as (
    select
        experiment_id,
        task_type,
        coalesce(old.model_id, incumbent_model_id) as incumbent,
        coalesce(new.model_id, challenger_model_id) as challenger,
        strftime('%Y-%m-%d %H:%M:%f', started_at, '+0 seconds') as started_at,
        coalesce(strftime('%Y-%m-%d %H:%M:%f', nullif(ended_at, ''), '+0 seconds'), '9999') as ended_at,
        (select max(outcome_id) from int_experiment_outcomes as seen
        where seen.experiment_id = ab_experiments.experiment_id) as seen_to
    from ab_experiments
    left join model_aliases as old on old.alias = incumbent_model_id
    left join model_aliases as new on new.alias = challenger_model_id
),
trials as (
    select experiments.experiment_id, names.known_as, log.success
    from experiments
    inner join names on names.known_as in (experiments.incumbent, experiments.challenger)
    inner join model_outcomes as log on log.model_id = names.name
    left join error_types on error_types.error_type = log.error_type
    where log.id <= experiments.seen_to
    and (coalesce(experiments.task_type, '') = '' or experiments.task_type = log.task_type)
    and (log.success = 1 or error_types.attribution is not 'infrastructure')
    and case
        when log.experiment_id is not null then log.experiment_id = experiments.experiment_id
        else strftime('%Y-%m-%d %H:%M:%f', log.timestamp, '+0 seconds') >= experiments.started_at
            and strftime('%Y-%m-%d %H:%M:%f', log.timestamp, '+0 seconds') < experiments.ended_at
    end
)
select
    experiment_id,
    count(*) filter (where known_as = incumbent),
    count(*) filter (where known_as = incumbent and success),
    count(*) filter (where known_as = challenger),
    count(*) filter (where known_as = challenger and success)
from experiments
left join trials using (experiment_id)
group by 1
"""


def audit(connection: sqlite3.Connection) -> Audit:
    """Compare what dbt built with the log.

    Raises sqlite3.OperationalError ("no such table") before the first build.
    """
    differences: list[Difference] = []
    rows: dict[str, int] = {}

    def check(table: str, keys: int, columns: str, expected: str, where: str = "true", **values: int) -> None:
        found = f"select {columns} from {table} where {where}"
        rows[table], differing = _compare(connection, table, keys, found, expected, values)
        differences.extend(differing)

    with _one_moment(connection):
        (newest, outcomes) = _row(connection, "select coalesce(max(id), 0), count(*) from model_outcomes")
        (newest_load,) = _row(connection, "select coalesce(max(load_id), 0) from legacy_model_stats")
        totals, daily = (
            _row(connection, f"select coalesce(max(last_outcome_id), 0) from {table}")[0]
            for table in ("int_outcomes_totals", "int_outcomes_daily")
        )
        (attempts,) = _row(connection, "select coalesce(sum(attempts), 0) from model_daily_trends")
        trends = _seen_to(connection, daily, attempts)
        ranked, ranked_load = _ranked_as_of(connection, totals, outcomes)
        marks = sorted({totals, daily, trends, ranked})
        case = " ".join(f"when id <= {mark} then {mark}" for mark in marks)
        connection.execute(CELLS.format(mark=f"case {case} else {newest} end"))
        connection.execute(ATTRIBUTED)
        connection.execute(uok.MIRRORED)

        check(
            "int_outcomes_totals", 4,
            "task_type, model_id, error_type, is_success, outcomes, timeouts, metered_outcomes, priced_outcomes,"
            " tokens_used, cost_nano_usd, cost_usd_squared, first_used, last_used, last_outcome_id",
            TOTALS, mark=totals,
        )  # fmt: skip
        check(
            "int_outcomes_daily", 5,
            "outcome_date, task_type, model_id, error_type, is_success, outcomes, timeouts, metered_outcomes,"
            " priced_outcomes, tokens_used, tokens_squared, cost_nano_usd, cost_usd_squared, last_outcome_id",
            DAILY, mark=daily,
        )  # fmt: skip
        check(
            "model_stats", 2,
            "task_type, model_id, successes, failures, timeouts, infrastructure_failures,"
            f" {_nano('infrastructure_cost')}, trials, total_tokens, {_nano('total_cost')}, metered_trials,"
            " priced_trials, first_used, last_used, legacy_successes, legacy_failures",
            STATS, mark=newest, load=newest_load,
        )  # fmt: skip
        columns = "task_type, model_id, successes, failures, {}, trials, total_tokens, total_cost, last_used"
        check(
            "model_rankings", 2,
            columns.format("priced_trials").replace("total_cost", _nano("total_cost")),
            f"select {columns.format('priced_trials')} from ({STATS})", mark=ranked, load=ranked_load,
        )  # fmt: skip
        check(
            "federated_export", 2, "task_type, model_id, outcomes + waiting_outcomes", UNEXPORTED,
            mark=newest, load=newest_load,
        )  # fmt: skip
        check(
            "model_daily_trends", 3,
            f"outcome_date, task_type, model_id, attempts, trials, successes, total_tokens, {_nano('total_cost')}",
            TRENDS, where="attempts > 0", mark=trends,
        )  # fmt: skip
        check(
            "ab_comparisons", 1,
            "experiment_id, incumbent_trials, incumbent_wins, challenger_trials, challenger_wins",
            EXPERIMENTS, where="experiment_id in (select experiment_id from ab_experiments)",
        )  # fmt: skip
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
            uok.RECONCILED,
        )  # fmt: skip
    return Audit(outcomes, rows, differences)


def as_text(found: Audit) -> str:
    """One line where all is right, else a line for each difference (for `SHOWN` of many)."""
    if not found.differences:
        rows = sum(found.rows.values())
        return f"{rows:,} rows of {len(found.rows)} tables and views agree with {found.outcomes:,} outcomes"
    lines = [
        f"{one.table} ({', '.join(f'{name} {value}' for name, value in one.key.items())}) {one.column}:"
        f" expected {one.expected}, found {one.found}"
        for one in found.differences[:SHOWN]
    ]
    if len(found.differences) > SHOWN:
        lines.append(f"and {len(found.differences) - SHOWN:,} more: see --json")
    return "\n".join(lines)


def as_json(found: Audit) -> str:
    return msgspec.json.encode(found).decode()


@contextmanager
def _one_moment(connection: sqlite3.Connection) -> Iterator[None]:
    """A reading transaction; what was put into temporary tables goes with it."""
    connection.execute("begin")
    try:
        yield
    finally:
        connection.execute("rollback")


def _row(connection: sqlite3.Connection, query: str, *values: Any) -> Row:
    row: Row = connection.execute(query, values).fetchone()
    return row


def _nano(column: str) -> str:
    return f"cast(round({column} * 1e9) as integer) as {column}"


def _seen_to(connection: sqlite3.Connection, mark: int, outcomes: int) -> int:
    """The id up to which a table has seen the log that counts so many outcomes, at least those up
    to `mark`: outcomes may have come while a build was between the rollup and the table."""
    (known,) = _row(connection, "select count(*) from model_outcomes where id <= ?", mark)
    if outcomes <= known:
        return mark
    (seen_to,) = _row(
        connection,
        "select coalesce(max(id), 0) from (select id from model_outcomes where id > ? order by id limit ?)",
        mark, outcomes - known,
    )  # fmt: skip
    return int(seen_to)


def _ranked_as_of(connection: sqlite3.Connection, mark: int, outcomes: int) -> tuple[int, int]:
    """The last outcome and the last import of opening balances that model_rankings has seen: the
    latest pair that makes up the number of outcomes it counts."""
    (counted,) = _row(connection, "select coalesce(sum(successes + failures), 0) from model_rankings")
    (known,) = _row(connection, "select count(*) from model_outcomes where id <= ?", mark)
    imports = connection.execute(
        "select load_id, sum(sum(successes + failures)) over (order by load_id)"
        " from legacy_model_stats group by load_id order by load_id desc"
    ).fetchall()
    for load, balance in [*imports, (0, 0)]:
        if known <= counted - balance <= outcomes:
            return _seen_to(connection, mark, counted - balance), load
    return mark, imports[0][0] if imports else 0


def _compare(
    connection: sqlite3.Connection, table: str, keys: int, found: str, expected: str, values: dict[str, int]
) -> tuple[int, list[Difference]]:
    """The number of rows that should be there, and what differs; the first `keys` columns are the key."""
    order = ", ".join(str(number + 1) for number in range(keys))
    there = connection.execute(f"{found} order by {order}")
    wanted = connection.execute(f"select * from ({expected}) order by {order}", values)
    names = [column[0] for column in there.description]

    def key_of(entry: tuple[Row, int]) -> Row:
        return entry[0][:keys]

    count, differences = 0, []
    both = merge(zip(wanted, repeat(WANTED)), zip(there, repeat(THERE)), key=key_of)
    for key, group in groupby(both, key=key_of):
        rows: tuple[list[Row], list[Row]] = ([], [])
        for row, side in group:
            rows[side].append(row)
        count += len(rows[WANTED])
        named = dict(zip(names, key, strict=False))
        if len(rows[WANTED]) == len(rows[THERE]) == 1:
            differences += [
                Difference(table, named, name, want, have)
                for name, want, have in zip(names, rows[WANTED][0], rows[THERE][0], strict=True)
                if not _agree(want, have)
            ]
        else:
            differences.append(Difference(table, named, "*", len(rows[WANTED]), len(rows[THERE])))
    return count, differences


def _agree(want: Any, have: Any) -> bool:
    """Sums of squares are doubles, and the last digits of such a sum depend on its order."""
    if isinstance(want, float) and isinstance(have, float):
        return math.isclose(want, have, rel_tol=1e-9, abs_tol=1e-12)
    return bool(want == have)

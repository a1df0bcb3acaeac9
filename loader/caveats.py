"""What in the data should not be trusted: one list for doctor, report, run summary and explorer.

Each caveat says what is off, what follows, where, and what to do. The figures come from the marts by SQL; what
only the log knows (rejected lines, seeds) is copied into the published snapshot, in its table `caveats`.
Code branches on `kind`, never on a text.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timezone
from enum import Enum
from typing import Any

import msgspec

from loader import reading, store, twins
from loader.phrases import counted, listed, named, percent
from loader.reading import Answer

DAY_S = 86_400.0
SHOWN = 8  # places that a caveat names; it counts the others
STALE_DAYS = 7
THIN_TRIALS = 30
UNPRICED_SHARE = 0.05
OUTAGE_ATTEMPTS = 10
SILENT_FAILURES = 100  # so many failures, and no timeout among them
NAME_WIDTH = 60
REASON_WIDTH = 100

Check = Callable[[sqlite3.Connection], Iterator["Caveat"]]


class Kind(str, Enum):
    """The kinds of caveats, the gravest first."""

    STALE = "stale"
    DEGENERATE = "degenerate"
    LOST_ATTEMPTS = "lost_attempts"
    OUTAGES = "outages"
    UNKNOWN_ERROR_TYPES = "unknown_error_types"
    TWIN_NAMES = "twin_names"
    TRAFFIC_MISMATCH = "traffic_mismatch"
    MIX_SHIFT = "mix_shift"
    REJECTED_LINES = "rejected_lines"
    UNREADABLE_FILES = "unreadable_files"
    MANY_MODELS = "many_models"
    MISSING_TIMEOUTS = "missing_timeouts"
    UNRECORDED_NAMES = "unrecorded_names"
    UNPRICED = "unpriced"
    OPENING_BALANCES = "opening_balances"
    STALE_TASK_TYPES = "stale_task_types"
    FEW_TRIALS = "few_trials"
    NOT_CHECKED = "not_checked"


class Place(msgspec.Struct, frozen=True):
    """One place where a caveat holds, in words and figures; task type and model are None if it is about several."""

    text: str
    task_type: str | None = None
    model_id: str | None = None
    figures: dict[str, Any] = {}


class Caveat(msgspec.Struct, frozen=True):
    """`places` has the first SHOWN of `place_count` places. `next_step` is None if there is nothing to do but to
    know it. Texts are ready to be shown; `figures` are about all places together."""

    kind: Kind
    title: str
    consequence: str
    next_step: str | None = None
    places: Sequence[Place] = ()
    place_count: int = 0
    figures: dict[str, Any] = {}

    def place_texts(self) -> list[str]:
        """Return the places in words, with a last line that counts those left out."""
        more = self.place_count - len(self.places)
        return [place.text for place in self.places] + ([f"and {more:,} more"] if more > 0 else [])


def read(
    marts: sqlite3.Connection, log: sqlite3.Connection | None, now: datetime, quiet_after_s: float = DAY_S
) -> list[Caveat]:
    """Return all caveats as of `now` (UTC), the gravest first. See `of_data` for the connections."""
    return [*stale(newest_at(log or marts, now), now, quiet_after_s), *of_data(marts, log)]


def of_data(marts: sqlite3.Connection, log: sqlite3.Connection | None = None) -> list[Caveat]:
    """Return the caveats that do not depend on the time of asking, the gravest first.

    `marts` is the log's database, a file with the marts that another engine built, or a published snapshot, which
    has the list that was written with it. `log` has rejected lines and seeds, if that is another file. The last
    caveat names the checks whose tables are missing or of an older build.
    """
    if _has(marts, TABLE):
        return _stored(marts)
    caveats: list[Caveat] = []
    not_checked: list[str] = []
    for kind, check in CHECKS.items():
        try:
            caveats += check(log or marts) if kind in OF_THE_LOG else check(marts)
        except sqlite3.OperationalError as fault:
            if not str(fault).startswith(("no such table", "no such column")):
                raise
            not_checked.append(kind.value.replace("_", " "))
    return caveats + list(_not_checked(not_checked))


def newest_at(connection: sqlite3.Connection, now: datetime) -> str | None:
    """Return the time of the newest outcome that is not in the future; None if there is none."""
    has_log = _has(connection, "model_outcomes")
    table, column = ("model_outcomes", "timestamp") if has_log else ("model_stats", "last_used")
    newest: str | None = connection.execute(
        f"select max({column}) from {table} where {column} <= ?", (store.to_text(now),)
    ).fetchone()[0]
    return newest


def stale(newest: str | None, now: datetime, quiet_after_s: float = DAY_S) -> Iterator[Caveat]:
    """Yield a caveat if `newest`, the time of the last outcome, is more than `quiet_after_s` before `now`."""
    if newest is None:
        yield Caveat(
            Kind.STALE, "No outcomes", "The log is empty.", "Record or load some: loader record, loader load FILE."
        )
        return
    moment = datetime.fromisoformat(newest.strip().replace("Z", "+00:00"))
    age = now - (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc))
    if age.total_seconds() > quiet_after_s:
        length = counted(age.days, "day") if age.days else counted(int(age.total_seconds() // 3600), "hour")
        yield Caveat(
            Kind.STALE,
            "No news",
            f"The last outcome is of {newest[:10]}, {length} before this was written. The recorder may have stopped.",
            "Check that the agents still record, and into which file.",
            figures={"newest_at": newest, "age_seconds": round(age.total_seconds()), "limit_seconds": quiet_after_s},
        )


def _degenerate(marts: sqlite3.Connection) -> Iterator[Caveat]:
    query = """
        select task_type, sum(trials) as trials, sum(successes) as successes
        from model_rankings where is_degenerate = 1 group by task_type
    """
    yield from _caveat(
        marts, query, "trials desc, task_type",
        lambda row: f"{_named(row['task_type'])}: every trial {'succeeded' if row['successes'] else 'failed'}"
        f" ({row['trials']:,})",
        Kind.DEGENERATE,
        "Nobody ever succeeds, or nobody ever fails",
        "The recorder may not check the result. Do not choose a model by these task types.",
        "Check that the recorder looks at the result of each task.",
    )  # fmt: skip


def _lost_attempts(marts: sqlite3.Connection) -> Iterator[Caveat]:
    query = """
        select task_type, model_id, infrastructure_failures, trials + infrastructure_failures as attempts, lost_share,
            trials, success_rate
        from model_stats where has_many_lost_attempts = 1
    """

    def text(row: dict[str, Any]) -> str:
        rate = (
            "nothing is left to judge by"
            if row["success_rate"] is None
            else f"{percent(row['success_rate'])} is the rate of the other {row['trials']:,}"
        )
        return (
            f"{_cell(row)}: {row['infrastructure_failures']:,} of {row['attempts']:,} attempts lost"
            f" ({percent(row['lost_share'])}); {rate}"
        )

    yield from _caveat(
        marts, query, "infrastructure_failures desc, task_type, model_id", text,
        Kind.LOST_ATTEMPTS,
        "Lost attempts",
        "These attempts failed because of the infrastructure and count against no model. The success rate is that of"
        " the other attempts, which may not be typical.",
        "Find out why so many attempts never reached the model.",
    )  # fmt: skip


def _outages(marts: sqlite3.Connection) -> Iterator[Caveat]:
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
            f"{_named(row['model_id'])} on {days}: {row['infrastructure_failures']:,} of"
            f" {row['attempts']:,} attempts lost"
        )

    yield from _caveat(
        marts, query, "infrastructure_failures desc, model_id", text,
        Kind.OUTAGES,
        "Outages",
        "On these days at least half of the attempts never reached the model. They count against no model. The few"
        " other attempts of these days may be unlike the rest.",
        hidden=("dates",),
    )  # fmt: skip


def _unknown_error_types(marts: sqlite3.Connection) -> Iterator[Caveat]:
    query = """
        with unknown as (
            select task_type, model_id, sum(failures) as unknown_failures
            from model_failures where attribution = 'unknown' group by task_type, model_id
        )
        select
            unknown.task_type, unknown.model_id, unknown_failures, failures, trials, successes,
            success_rate as success_rate_if_counted,
            cast(successes as real) / nullif(trials - unknown_failures, 0) as success_rate_if_not_counted
        from unknown inner join model_stats using (task_type, model_id)
    """
    error_types = reading.rows(
        marts,
        "select error_type, sum(failures) as failures from model_failures where attribution = 'unknown'"
        f" group by error_type order by 2 desc, 1 limit {SHOWN}",
    )
    if not error_types:
        return
    ((failures, unknown),) = marts.execute(
        "select sum(failures), sum(case when attribution = 'unknown' then failures end) from model_failures"
    ).fetchall()
    names = listed([f"{_named(row['error_type'])} ({row['failures']:,})" for row in error_types], SHOWN)

    def text(row: dict[str, Any]) -> str:
        otherwise = row["success_rate_if_not_counted"]
        return (
            f"{_cell(row)}: {percent(row['success_rate_if_counted'])} if they count against the model,"
            f" {'no trial is left' if otherwise is None else percent(otherwise)} if not"
            f" ({row['unknown_failures']:,} of {counted(row['trials'], 'trial')})"
        )

    yield from _caveat(
        marts, query, "unknown_failures desc, task_type, model_id", text,
        Kind.UNKNOWN_ERROR_TYPES,
        "Unknown error types",
        f"{percent(unknown / failures)} of the failures have an error type that nobody classified: {names}. They count"
        " against the model.",
        "Say in seeds/error_types.csv whether they are failures of the model or of the infrastructure.",
        figures={
            "unknown_share_of_failures": unknown / failures,
            "error_types": {row["error_type"]: row["failures"] for row in error_types},
        },
    )  # fmt: skip


def _twin_names(marts: sqlite3.Connection) -> Iterator[Caveat]:
    places = []
    for column, grouped in (("model_id", twins.models), ("task_type", twins.task_types)):
        trials = dict(marts.execute(f"select {column}, sum(trials) from model_stats group by {column}").fetchall())
        for names in grouped(trials):
            own = {name: trials[name] for name in names}
            said = listed([f"{_named(name)} ({counted(own[name], 'trial')})" for name in names], SHOWN)
            places.append(
                Place(f"{'Models' if column == 'model_id' else 'Task types'}: {said}",
                      figures={"column": column, "trials": own})
            )  # fmt: skip
    if places:
        yield Caveat(
            Kind.TWIN_NAMES,
            "Names that are probably one",
            "Each name is counted by itself, so that trials, rates and ranks are split between them.",
            "Join the names of a model in seeds/model_aliases.csv. Record a task type under one name.",
            places[:SHOWN],
            len(places),
        )


def _experiments(kind: Kind, column: str, title: str, consequence: str, next_step: str | None) -> Check:
    def check(marts: sqlite3.Connection) -> Iterator[Caveat]:
        query = f"select task_type, experiment_id from ab_comparisons where {column} = 1"
        yield from _caveat(
            marts, query, "experiment_id", lambda row: _named(row["experiment_id"]), kind, title, consequence, next_step
        )

    return check


def _rejected_lines(log: sqlite3.Connection) -> Iterator[Caveat]:
    (lines,) = log.execute("select count(*) from rejected_outcomes").fetchone()
    if not lines:
        return
    # The value that was read instead differs from line to line, and says nothing about the reason.
    query = """
        select
            case when instr(value, ', got ') then substr(value, 1, instr(value, ', got ') - 1) else value end as reason,
            count(*) as lines, max(source) as source
        from rejected_outcomes, json_each(rejected_outcomes.reasons)
        group by 1
    """
    (reasons,) = log.execute(f"select sum(lines) from ({query})").fetchone()
    yield from _caveat(
        log, query, "lines desc, reason", lambda row: f"{named(row['reason'], REASON_WIDTH)} ({row['lines']:,})",
        Kind.REJECTED_LINES,
        "Rejected lines",
        f"{counted(lines, 'line')} could not be read as an outcome and {'is' if lines == 1 else 'are'} in no figure."
        f"{' A line with several faults counts under each.' if reasons > lines else ''}",
        "Correct the program that writes them: select * from rejected_outcomes.",
        figures={"lines": lines},
    )  # fmt: skip


def _unreadable_files(log: sqlite3.Connection) -> Iterator[Caveat]:
    query = "select path, fault from inbox_files where fault is not null"
    yield from _caveat(
        log, query, "path", lambda row: named(row["fault"], REASON_WIDTH),
        Kind.UNREADABLE_FILES,
        "Unreadable files",
        "These files of the inbox are in no figure. A run reads them again if they change.",
        "Replace or remove them: select path, fault from inbox_files.",
    )  # fmt: skip


def _many_models(marts: sqlite3.Connection) -> Iterator[Caveat]:
    query = """
        select task_type, count(*) as models, sum(probability_best is not null) as compared_models
        from model_rankings where is_capped = 1 group by task_type
    """
    yield from _caveat(
        marts, query, "models desc, task_type",
        lambda row: f"{_named(row['task_type'])}: {row['models']:,} models, {row['compared_models']:,} of them"
        " compared",
        Kind.MANY_MODELS,
        "Very many models",
        "Not all models of these task types were compared with each other: the best and worst ranks are wider than the"
        " data allows.",
        "Check that model_id holds the name of a model, and no run id.",
    )  # fmt: skip


def _missing_timeouts(marts: sqlite3.Connection) -> Iterator[Caveat]:
    # An error type that speaks of time: timeout, timed_out, time-out, deadline exceeded.
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
    caveats = list(_caveat(
        marts, query, "unmarked_failures desc, task_type, model_id",
        lambda row: f"{_cell(row)}: the error type of {counted(row['unmarked_failures'], 'failure')} says timeout, the"
        " column `timeout` does not",
        Kind.MISSING_TIMEOUTS,
        "Missing timeouts",
        "Counts of timeouts are too low. Success rates stay right.",
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
            f"None of {failures:,} failures is marked as a timeout. Either nothing ran out of time, or the recorder"
            " does not say so. Success rates stay right.",
            "If tasks have a time limit, record timeout = 1 for a failure that ran out of time.",
            figures={"failures": failures},
        )
    yield from caveats


def _unrecorded_names(log: sqlite3.Connection) -> Iterator[Caveat]:
    """Yield a caveat if a seed names what nobody recorded. Experiments that are over are history. If another engine
    builds, the seeds are there, and this is not checked."""
    if not _has(log, "model_aliases", "incumbents", "ab_experiments"):
        return
    recorded = {row[0] for row in log.execute("select distinct model_id from model_stats")}
    recorded |= {row[0] for row in log.execute("select alias from model_aliases")}
    going_on = "coalesce(ended_at, '') = '' or ended_at > :now"
    seeds = dict(
        log.execute(
            "select model_id, 'incumbents' from incumbents"
            f" union all select incumbent_model_id, 'ab_experiments' from ab_experiments where {going_on}"
            f" union all select challenger_model_id, 'ab_experiments' from ab_experiments where {going_on}",
            {"now": store.to_text(store.utc_now())},
        ).fetchall()
    )
    places = [
        Place(f"{_named(name)}, in seeds/{seed}.csv", None, name, {"seed": seed})
        for name, seed in sorted(seeds.items())
        if name not in recorded
    ]
    if places:
        yield Caveat(
            Kind.UNRECORDED_NAMES,
            "Names that nobody recorded",
            "A seed names these models, and no outcome does. What the seed says of them has no effect.",
            "Correct the name in the seed.",
            places[:SHOWN],
            len(places),
        )


def _unpriced(marts: sqlite3.Connection) -> Iterator[Caveat]:
    query = f"""
        select *, logged_trials - priced_trials as unpriced_trials
        from (
            select task_type, model_id, trials - legacy_successes - legacy_failures as logged_trials, priced_trials
            from model_stats
        )
        where logged_trials - priced_trials > {UNPRICED_SHARE} * logged_trials
    """
    yield from _caveat(
        marts, query, "unpriced_trials desc, task_type, model_id",
        lambda row: f"{_cell(row)}: {row['unpriced_trials']:,} of {counted(row['logged_trials'], 'trial')}",
        Kind.UNPRICED,
        "No price",
        "Nobody recorded what these trials cost. They are not free: a cost per success rests on the other trials, and"
        " is unknown if there are none.",
        "Record cost_usd.",
    )  # fmt: skip


def _opening_balances(marts: sqlite3.Connection) -> Iterator[Caveat]:
    query = """
        select task_type, model_id, legacy_successes + legacy_failures as legacy_trials, trials
        from model_stats where legacy_successes + legacy_failures > 0
    """
    yield from _caveat(
        marts, query, "legacy_trials desc, task_type, model_id",
        lambda row: f"{_cell(row)}: {row['legacy_trials']:,} of {counted(row['trials'], 'trial')}",
        Kind.OPENING_BALANCES,
        "Opening balances",
        "These totals come from an older tool. They count in ranks, but they have no dates and no prices, so nobody"
        " can check them. Trends, costs and comparisons leave them out.",
    )  # fmt: skip


def _stale_task_types(marts: sqlite3.Connection) -> Iterator[Caveat]:
    query = f"""
        select task_type, date(max(last_used)) as last_date
        from model_stats group by task_type
        having date(max(last_used), '+{STALE_DAYS} days') < (select date(max(last_used)) from model_stats)
    """
    yield from _caveat(
        marts, query, "last_date, task_type",
        lambda row: f"{_named(row['task_type'])}: nothing since {row['last_date']}",
        Kind.STALE_TASK_TYPES,
        "Stale task types",
        "Other task types went on meanwhile. These describe the models as they were then.",
    )  # fmt: skip


def _few_trials(marts: sqlite3.Connection) -> Iterator[Caveat]:
    query = f"select task_type, model_id, trials from model_stats where trials between 1 and {THIN_TRIALS - 1}"
    yield from _caveat(
        marts, query, "trials, task_type, model_id", lambda row: f"{_cell(row)}: {counted(row['trials'], 'trial')}",
        Kind.FEW_TRIALS,
        "Tried too seldom",
        f"With fewer than {THIN_TRIALS} trials no model is surely better or worse.",
    )  # fmt: skip


# The gravest first.
CHECKS: dict[Kind, Check] = {
    Kind.DEGENERATE: _degenerate,
    Kind.LOST_ATTEMPTS: _lost_attempts,
    Kind.OUTAGES: _outages,
    Kind.UNKNOWN_ERROR_TYPES: _unknown_error_types,
    Kind.TWIN_NAMES: _twin_names,
    Kind.TRAFFIC_MISMATCH: _experiments(
        Kind.TRAFFIC_MISMATCH, "has_traffic_mismatch",
        "Traffic that was not drawn as declared",
        "Something other than chance decides which model gets which task. Do not believe the verdict.",
        "Correct how tasks are given to the models, and begin a new experiment.",
    ),
    Kind.MIX_SHIFT: _experiments(
        Kind.MIX_SHIFT, "is_mix_shifted",
        "Unlike mixes of tasks",
        "The two models got different kinds of tasks. The difference shown is that within the task types.",
        None,
    ),
    Kind.REJECTED_LINES: _rejected_lines,
    Kind.UNREADABLE_FILES: _unreadable_files,
    Kind.MANY_MODELS: _many_models,
    Kind.MISSING_TIMEOUTS: _missing_timeouts,
    Kind.UNRECORDED_NAMES: _unrecorded_names,
    Kind.UNPRICED: _unpriced,
    Kind.OPENING_BALANCES: _opening_balances,
    Kind.STALE_TASK_TYPES: _stale_task_types,
    Kind.FEW_TRIALS: _few_trials,
}  # fmt: skip
OF_THE_LOG = (Kind.REJECTED_LINES, Kind.UNREADABLE_FILES, Kind.UNRECORDED_NAMES)


def _not_checked(names: Sequence[str]) -> Iterator[Caveat]:
    if names:
        yield Caveat(
            Kind.NOT_CHECKED,
            "Not checked",
            f"The tables behind these caveats are missing or of an older build: {', '.join(names)}.",
            "Build: loader build.",
        )


def _caveat(
    connection: sqlite3.Connection,
    query: str,
    order: str,
    text: Callable[[dict[str, Any]], str],
    kind: Kind,
    title: str,
    consequence: str,
    next_step: str | None = None,
    *,
    figures: dict[str, Any] | None = None,
    hidden: Sequence[str] = (),
) -> Iterator[Caveat]:
    """Yield a caveat if `query` has rows: each is a place, its columns but the `hidden` ones are the figures."""
    rows: Answer = reading.rows(
        connection, f"select *, count(*) over () as place_count from ({query}) order by {order} limit {SHOWN}"
    )
    if rows:
        aside = ("task_type", "model_id", "place_count", *hidden)
        places = [
            Place(
                text(row),
                row.get("task_type"),
                row.get("model_id"),
                {name: value for name, value in row.items() if name not in aside},
            )
            for row in rows
        ]
        yield Caveat(kind, title, consequence, next_step, places, rows[0]["place_count"], figures or {})


# In a published snapshot: one row per place of a caveat, or per caveat that has no place.
TABLE = "caveats"
COLUMNS = {
    "priority": ("integer", "The place of the caveat in the list, 1 for the gravest."),
    "kind": ("text", "The kind of caveat, for programs."),
    "title": ("text", "The kind of caveat, for people."),
    "consequence": ("text", "What follows from it."),
    "next_step": ("text", "What to do; null if there is nothing to do but to know it."),
    "figures": ("text", "Figures about all places together, as JSON."),
    "place_count": ("integer", "How many places there are; the first 8 have rows."),
    "place_number": ("integer", "The number of the place, from 1 on; null if the caveat has no place."),
    "place": ("text", "Where, in words and figures."),
    "task_type": ("text", "The task type of the place; null if it is about several."),
    "model_id": ("text", "The model of the place; null if it is about several."),
    "place_figures": ("text", "The figures of the place, as JSON."),
}
DESCRIPTION = "One row per caveat and place: what in these figures should not be trusted, the gravest first."


def as_rows(caveats: Sequence[Caveat]) -> list[tuple[Any, ...]]:
    """Return the rows of the table `caveats`, whose columns are COLUMNS."""
    rows: list[tuple[Any, ...]] = []
    for priority, caveat in enumerate(caveats, 1):
        own = (priority, caveat.kind.value, caveat.title, caveat.consequence, caveat.next_step,
               json.dumps(caveat.figures), caveat.place_count)  # fmt: skip
        rows += [
            (*own, number, place.text, place.task_type, place.model_id, json.dumps(place.figures))
            for number, place in enumerate(caveat.places, 1)
        ] or [(*own, None, None, None, None, None)]
    return rows


def _stored(snapshot: sqlite3.Connection) -> list[Caveat]:
    """Return the list that a published snapshot has, without what depends on the time of asking."""
    places: dict[int, list[Place]] = {}
    firsts: dict[int, dict[str, Any]] = {}
    for row in reading.rows(snapshot, f"select * from {TABLE} order by priority, place_number"):
        firsts.setdefault(row["priority"], row)
        if row["place_number"] is not None:
            place = Place(row["place"], row["task_type"], row["model_id"], json.loads(row["place_figures"]))
            places.setdefault(row["priority"], []).append(place)
    return [
        Caveat(Kind(row["kind"]), row["title"], row["consequence"], row["next_step"], places.get(priority, []),
               row["place_count"], json.loads(row["figures"]))
        for priority, row in firsts.items()
        if row["kind"] != Kind.STALE
    ]  # fmt: skip


def _has(connection: sqlite3.Connection, *tables: str) -> bool:
    return all(
        connection.execute("select 1 from sqlite_master where name = ?", (table,)).fetchone() is not None
        for table in tables
    )


def _named(name: str) -> str:
    return named(name, NAME_WIDTH)


def _cell(row: dict[str, Any]) -> str:
    return f"{_named(row['model_id'])} at {_named(row['task_type'])}"

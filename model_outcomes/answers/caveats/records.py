"""Checks of what came in: lines and files that could not be read, wrong names, what was not recorded."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from model_outcomes.answers.caveats import twins
from model_outcomes.answers.caveats.caveat import SHOWN, Caveat, Kind, Place
from model_outcomes.answers.caveats.queries import REASON_WIDTH, caveat_of, cell, has, short_name
from model_outcomes.answers.phrases import counted, listed, named
from model_outcomes.base import clock

UNPRICED_SHARE = 0.05


def twin_names(marts: sqlite3.Connection) -> Iterator[Caveat]:
    places = []
    for column, grouped in (("model_id", twins.models), ("task_type", twins.task_types)):
        trials = dict(marts.execute(f"select {column}, sum(trials) from model_stats group by {column}").fetchall())
        for names in grouped(trials):
            own = {name: trials[name] for name in names}
            said = listed([f"{short_name(name)} ({counted(own[name], 'trial')})" for name in names], SHOWN)
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


def rejected_lines(log: sqlite3.Connection) -> Iterator[Caveat]:
    # A load with very many rejected lines keeps 1,000 of them (parser.REJECTS_KEPT). Its load_history counts them all.
    lines, rows = log.execute(
        "select coalesce(sum(max(kept, coalesce(rejected_count, 0))), 0), coalesce(sum(kept), 0)"
        " from (select load_id, count(*) as kept from rejected_outcomes group by load_id)"
        " left join load_history using (load_id)"
    ).fetchone()
    if not lines:
        return
    # `got`, the wrong value, differs from line to line. The row that counts the lines that are not kept has `lines`.
    query = """
        select
            case type
                when 'object'
                    then coalesce(json_extract(value, '$.field') || ': ', '') || json_extract(value, '$.problem')
                else value
            end as reason,
            count(*) as lines, max(source) as source
        from rejected_outcomes, json_each(rejected_outcomes.reasons)
        where case type when 'object' then json_extract(value, '$.lines') end is null
        group by 1
    """
    (reasons,) = log.execute(f"select sum(lines) from ({query})").fetchone()
    yield from caveat_of(
        log, query, "lines desc, reason", lambda row: f"{named(row['reason'], REASON_WIDTH)} ({row['lines']:,})",
        Kind.REJECTED_LINES,
        "Rejected lines",
        f"{counted(lines, 'line')} could not be read as an outcome and {'is' if lines == 1 else 'are'} in no figure."
        f"{' The reasons are those of the lines that are kept.' if lines > rows else ''}"
        f"{' A line with several faults counts under each.' if reasons > rows else ''}",
        "Correct the program that writes them: select * from rejected_outcomes.",
        figures={"lines": lines},
    )  # fmt: skip


def unreadable_files(log: sqlite3.Connection) -> Iterator[Caveat]:
    query = "select path, fault from inbox_files where fault is not null"
    yield from caveat_of(
        log, query, "path", lambda row: named(row["fault"], REASON_WIDTH),
        Kind.UNREADABLE_FILES,
        "Unreadable files",
        "These files of the inbox are in no figure. A run reads them again if they change.",
        "Replace or remove them: select path, fault from inbox_files.",
    )  # fmt: skip


def unrecorded_names(log: sqlite3.Connection) -> Iterator[Caveat]:
    """Yield a caveat if a seed names what nobody recorded. Experiments that are over are history. If another engine
    builds, the seeds are there, and this is not checked."""
    if not has(log, "model_aliases", "incumbents", "ab_experiments"):
        return
    recorded = {row[0] for row in log.execute("select distinct model_id from model_stats")}
    recorded |= {row[0] for row in log.execute("select alias from model_aliases")}
    going_on = "coalesce(ended_at, '') = '' or ended_at > :now"
    seeds = dict(
        log.execute(
            "select model_id, 'incumbents' from incumbents"
            f" union all select incumbent_model_id, 'ab_experiments' from ab_experiments where {going_on}"
            f" union all select challenger_model_id, 'ab_experiments' from ab_experiments where {going_on}",
            {"now": clock.to_text(clock.utc_now())},
        ).fetchall()
    )
    places = [
        Place(f"{short_name(name)}, in seeds/{seed}.csv", None, name, {"seed": seed})
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


def unpriced(marts: sqlite3.Connection) -> Iterator[Caveat]:
    query = f"""
        select *, logged_trials - priced_trials as unpriced_trials
        from (
            select task_type, model_id, trials - legacy_successes - legacy_failures as logged_trials, priced_trials
            from model_stats
        )
        where logged_trials - priced_trials > {UNPRICED_SHARE} * logged_trials
    """
    yield from caveat_of(
        marts, query, "unpriced_trials desc, task_type, model_id",
        lambda row: f"{cell(row)}: {row['unpriced_trials']:,} of {counted(row['logged_trials'], 'trial')}",
        Kind.UNPRICED,
        "No price",
        "Nobody recorded what these trials cost. They are not free: a cost per success rests on the other trials, and"
        " is unknown if there are none.",
        "Record cost_usd.",
    )  # fmt: skip


def opening_balances(marts: sqlite3.Connection) -> Iterator[Caveat]:
    query = """
        select task_type, model_id, legacy_successes + legacy_failures as legacy_trials, trials
        from model_stats where legacy_successes + legacy_failures > 0
    """
    yield from caveat_of(
        marts, query, "legacy_trials desc, task_type, model_id",
        lambda row: f"{cell(row)}: {row['legacy_trials']:,} of {counted(row['trials'], 'trial')}",
        Kind.OPENING_BALANCES,
        "Opening balances",
        "These totals come from an older tool. They count in ranks, but they have no dates and no prices, so nobody"
        " can check them. Trends, costs and comparisons leave them out.",
    )  # fmt: skip

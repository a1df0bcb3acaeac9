"""Checks of the records: lines and files that could not be read, wrong names, and facts that are missing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from model_outcomes.answers.caveats import twins
from model_outcomes.answers.caveats.caveat import (
    PLACES_SHOWN,
    REASON_WIDTH,
    Caveat,
    Kind,
    Place,
    caveat_of,
    cell,
    has,
    short_name,
)
from model_outcomes.answers.phrases import counted, listed, named
from model_outcomes.base import clock

UNPRICED_SHARE = 0.05


def twin_names(marts: sqlite3.Connection) -> Iterator[Caveat]:
    places = []
    for column, grouped in (("model_id", twins.models), ("task_type", twins.task_types)):
        trials = dict(marts.execute(f"select {column}, sum(trials) from model_stats group by {column}").fetchall())
        for names in grouped(trials):
            group = listed([f"{short_name(name)} ({counted(trials[name], 'trial')})" for name in names], PLACES_SHOWN)
            text = f"{'Models' if column == 'model_id' else 'Task types'}: {group}"
            places.append(Place(text, figures={"column": column, "trials": {name: trials[name] for name in names}}))
    if places:
        yield Caveat(
            Kind.TWIN_NAMES,
            "Names that are probably the same",
            "Each spelling is counted separately, so trials, rates and ranks are split between them.",
            "Join models in seeds/model_aliases.csv. Record each task type under one name.",
            places[:PLACES_SHOWN],
            len(places),
        )


def rejected_lines(log: sqlite3.Connection) -> Iterator[Caveat]:
    # A load with very many rejected lines keeps 1,000 of them (batches.REJECTS_KEPT). Its load_history counts them all.
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
        f"{' The reasons are those of the lines that were kept.' if lines > rows else ''}"
        f"{' A line with several faults counts under each.' if reasons > rows else ''}",
        "Correct the program that wrote them. List them with `loader rejects`, which also forgets them.",
        figures={"lines": lines},
    )  # fmt: skip


def unreadable_files(log: sqlite3.Connection) -> Iterator[Caveat]:
    query = "select path, fault from inbox_files where fault is not null"
    yield from caveat_of(
        log, query, "path", lambda row: named(row["fault"], REASON_WIDTH),
        Kind.UNREADABLE_FILES,
        "Unreadable files",
        "These files of the inbox are in no figure. A run reads them again when they change.",
        "Replace or remove them. Show them with: select path, fault from inbox_files.",
    )  # fmt: skip


def unrecorded_names(log: sqlite3.Connection) -> Iterator[Caveat]:
    """Yield a caveat if a seed names a model that has no outcomes. Ended experiments are not checked, nor seeds that
    are in another engine."""
    if not has(log, "model_aliases", "incumbents", "ab_experiments"):
        return
    recorded = {row[0] for row in log.execute("select distinct model_id from model_stats")}
    recorded |= {row[0] for row in log.execute("select alias from model_aliases")}
    is_open = "coalesce(ended_at, '') = '' or ended_at > :now"
    seeds = dict(
        log.execute(
            "select model_id, 'incumbents' from incumbents"
            f" union all select incumbent_model_id, 'ab_experiments' from ab_experiments where {is_open}"
            f" union all select challenger_model_id, 'ab_experiments' from ab_experiments where {is_open}",
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
            "Names without outcomes",
            "A seed names these models, but no outcome does. These rows of the seed have no effect.",
            "Correct the name in the seed.",
            places[:PLACES_SHOWN],
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
        "No cost",
        "These trials have no recorded cost. They do not count as free: the cost per success comes from the other"
        " trials, and is unknown without them.",
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
        "These totals come from an older tool. They count in ranks, but they have no dates and no costs and cannot be"
        " checked. Trends, costs and comparisons leave them out.",
    )  # fmt: skip

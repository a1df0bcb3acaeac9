"""What in the data should not be trusted, by kind: what is off, what follows from that, and where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timezone

from loader.reading import Answer
from loader.report.gathering import Contents
from loader.report.phrases import counted, listed, named

STALE_DAYS = 7
QUIET_DAYS = 1  # as in dbt's own freshness
THIN_TRIALS = 30
UNPRICED_SHARE = 0.05
SHOWN = 8


@dataclass(frozen=True)
class Doubt:
    """`places` say where, at most SHOWN of them; the table of data quality has the others."""

    title: str
    consequence: str
    places: Sequence[str] = ()


def doubts(contents: Contents, now: datetime) -> list[Doubt]:
    """The gravest first."""
    return [
        *_silence(contents, now),
        *_degenerate(contents),
        *_outages(contents),
        *_experiments(contents),
        *_unpriced(contents),
        *_balances(contents),
        *_old(contents),
        *_thin(contents),
        *_refused(contents),
    ]


def _silence(contents: Contents, now: datetime) -> Iterator[Doubt]:
    if contents.as_of is None:
        return
    last = datetime.fromisoformat(contents.as_of[:19]).replace(tzinfo=timezone.utc)
    if (now - last).total_seconds() > QUIET_DAYS * 86_400:
        days = (now - last).days
        yield Doubt(
            "No news",
            f"No outcome is younger than {contents.as_of[:10]}, which is {counted(days, 'day')} before this page was"
            " written: whoever records may have stopped.",
        )


def _degenerate(contents: Contents) -> Iterator[Doubt]:
    told = {row["task_type"]: row["successes"] > 0 for row in contents.rankings if row["is_degenerate"]}
    if told:
        yield Doubt(
            "Nobody ever succeeds, or nobody ever fails",
            "Whoever records these may not look at the result: do not choose a model by them.",
            _places([f"{named(task)}: every trial {'succeeded' if good else 'failed'}" for task, good in told.items()]),
        )


def _outages(contents: Contents) -> Iterator[Doubt]:
    by_model: dict[str, Answer] = {}
    for row in contents.outages:
        by_model.setdefault(row["model_id"], []).append(row)
    if by_model:
        yield Doubt(
            "Outages",
            "On these days most attempts never reached the model. They count against no model; what was tried on"
            " such a day is few, and may be unlike the rest.",
            _places(
                [
                    f"{named(model)} on {listed([row['outcome_date'] for row in rows], 3)}:"
                    f" {sum(row['infrastructure_failures'] for row in rows):,} of"
                    f" {sum(row['attempts'] for row in rows):,} attempts lost"
                    for model, rows in by_model.items()
                ]
            ),
        )


def _experiments(contents: Contents) -> Iterator[Doubt]:
    shifted = [named(row["experiment_id"]) for row in contents.comparisons if row["is_mix_shifted"]]
    if shifted:
        yield Doubt(
            "Unlike mixes of tasks",
            "The two models were given different kinds of tasks. The difference shown is that within the task types.",
            _places(shifted),
        )
    mismatched = [named(row["experiment_id"]) for row in contents.comparisons if row["has_traffic_mismatch"]]
    if mismatched:
        yield Doubt(
            "Traffic that was not drawn as declared",
            "Something other than chance decides which model gets which task: mend that before believing the verdict.",
            _places(mismatched),
        )


def _unpriced(contents: Contents) -> Iterator[Doubt]:
    cells = []
    for row in contents.stats:
        logged = row["trials"] - row["legacy_successes"] - row["legacy_failures"]
        unpriced = logged - row["priced_trials"]
        if logged and unpriced > UNPRICED_SHARE * logged:
            cells.append(f"{_cell(row)}: {unpriced:,} of {counted(logged, 'trial')}")
    if cells:
        yield Doubt(
            "No price",
            "These trials are not free: nobody recorded what they cost. A cost per success rests on the others, and"
            " is unknown where there are none.",
            _places(cells),
        )


def _balances(contents: Contents) -> Iterator[Doubt]:
    cells = []
    for row in contents.stats:
        balance = row["legacy_successes"] + row["legacy_failures"]
        if balance:
            cells.append(f"{_cell(row)}: {balance:,} of {counted(row['trials'], 'trial')}")
    if cells:
        yield Doubt(
            "Opening balances",
            "An older tool's totals: they count in ranks, but have no dates and no prices, so that nobody can check"
            " them. Trends, costs and comparisons do without them.",
            _places(cells),
        )


def _old(contents: Contents) -> Iterator[Doubt]:
    if contents.as_of is None:
        return
    last: dict[str, str] = {}
    for row in contents.stats:
        if row["last_used"]:
            last[row["task_type"]] = max(last.get(row["task_type"], ""), row["last_used"][:10])
    today = date.fromisoformat(contents.as_of[:10])
    stale = [
        f"{named(task)}: nothing since {day}"
        for task, day in last.items()
        if (today - date.fromisoformat(day)).days > STALE_DAYS
    ]
    if stale:
        yield Doubt(
            "Stale task types",
            "Others went on meanwhile: what these say is of the models as they were then.",
            _places(stale),
        )


def _thin(contents: Contents) -> Iterator[Doubt]:
    cells = [
        f"{_cell(row)}: {counted(row['trials'], 'trial')}" for row in contents.stats if 0 < row["trials"] < THIN_TRIALS
    ]
    if cells:
        yield Doubt(
            "Tried too seldom",
            f"With fewer than {THIN_TRIALS} trials nothing is surely better or worse.",
            _places(cells),
        )


def _refused(contents: Contents) -> Iterator[Doubt]:
    if contents.refused_lines:
        several = sum(row["lines"] for row in contents.rejects) > contents.refused_lines
        yield Doubt(
            "Refused lines",
            f"{counted(contents.refused_lines, 'line')} could not be read as an outcome and "
            f"{'is' if contents.refused_lines == 1 else 'are'} in no figure."
            f"{' A line with several faults counts under each.' if several else ''}",
            _places([f"{named(row['reason'], 100)} ({row['lines']:,})" for row in contents.rejects]),
        )


def _cell(row: dict[str, object]) -> str:
    return f"{named(str(row['model_id']))} at {named(str(row['task_type']))}"


def _places(found: list[str]) -> list[str]:
    more = len(found) - SHOWN
    return found if more <= 0 else [*found[:SHOWN], f"and {more:,} more: see the table of data quality below"]

"""Exports sums of cells (task type and model) with enough outcomes since their last export, and corrected exports.

docs/guides/federation.md has the rules. The views int_outcomes_unexported and int_exports_recounted say what is not exported
yet, and how exported rows would differ today. This module decides which of these are exported.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from model_outcomes.base import clock, paths
from model_outcomes.base.errors import OutcomesError
from model_outcomes.federation import files, privacy, windows
from model_outcomes.federation.format import LICENCE_PATTERN, Export, Row, checked, render
from model_outcomes.federation.ledger import Cell, CurrentExport, Draw, Ledger, as_rows
from model_outcomes.log import store

MIN_OUTCOMES = 10
LICENCE = "CC0-1.0"
FIRST_DAY = date(1970, 1, 1)


class ExportOptions(msgspec.Struct, frozen=True):
    """The choices of the user: the last day (None: the end of the last whole month), the smallest number of outcomes
    in a row, the licence, and for a noisy export the privacy loss (epsilon) and the cells to export."""

    until: date | None = None
    min_outcomes: int = MIN_OUTCOMES
    licence: str = LICENCE
    epsilon: float | None = None
    cells: Sequence[Cell] = ()


class HeldBack(msgspec.Struct):
    """The cells and outcomes that an export leaves out: cells with too few outcomes, late outcomes of exported rows,
    and cells with a name that must not be published."""

    cells: int = 0
    late_outcomes: int = 0
    unpublishable: list[Cell] = []


class Draft(msgspec.Struct):
    """The content of an export to write: its rows, the cells whose rows are new or changed, the noise drawn for them,
    and the id of the export that it replaces."""

    window: str
    min_outcomes: int
    rows: list[Row] = []
    cells: set[Cell] = set()
    draws: list[Draw] = []
    replaces: int | None = None


class ExportResult(msgspec.Struct, frozen=True):
    """The result of an export: what was exported and held back, and whether a file was written."""

    project: str
    drafts: list[Draft]
    held_back: HeldBack
    is_written: bool


def export(
    connection: sqlite3.Connection, output: str, options: ExportOptions, *, everything: bool = False
) -> ExportResult:
    """Write the new exports to the file `output`, or with `everything` all current exports, and note them in the
    ledger. If there is nothing to write, write no file.

    Raises OutcomesError if the options contradict those of earlier exports, or if the file cannot be
    written; then the ledger does not change.
    """
    now = clock.utc_now()
    ledger = Ledger(connection)
    _check(ledger, options, now.date())
    project = ledger.project()
    held_back = HeldBack()
    with store.one_moment(connection):
        if options.epsilon is None:
            drafts = _exact_drafts(ledger, options, now.date(), held_back)
        else:
            drafts = _noisy_drafts(ledger, options, options.epsilon, now.date())
        names = [ledger.published_names(draft.window, draft.cells) for draft in drafts]
        exports = _rendered(drafts, options, project, clock.to_text(ledger.next_as_of(now)))
        earlier = ledger.texts(other_than={draft.window for draft in drafts}) if everything else ""
    text = earlier + "".join(new_export.text for new_export in exports)
    if text:
        with files.writing(output, text), store.transaction(connection):
            for draft, new_export, entries in zip(drafts, exports, names, strict=True):
                ledger.add(new_export, draft.replaces, entries, draft.draws)
    return ExportResult(project, drafts, held_back, bool(text))


def report(result: ExportResult, output: str, options: ExportOptions) -> Iterator[str]:
    """Yield the lines that tell the user what was exported and what was held back."""
    held_back = result.held_back
    for draft in result.drafts:
        suffix = ", replaces an earlier export" if draft.replaces else ""
        yield f"{draft.window}: {len(draft.rows):,} cells{suffix}"
    if held_back.cells:
        yield (
            f"held back: {held_back.cells:,} cells with fewer than {options.min_outcomes:,} outcomes"
            " since their last export"
        )
    if held_back.late_outcomes:
        yield f"held back: {held_back.late_outcomes:,} late outcomes, fewer than {options.min_outcomes:,} in a row"
    for cell in held_back.unpublishable:
        yield f"held back: {', '.join(map(repr, cell))}: the name must not be published, change it with --rename-map"
    if result.is_written:
        file = "standard output" if output == "-" else paths.absolute(output)
        yield f"written to {file} as project {result.project}"
    else:
        yield "nothing new to export, no file was written; --all writes the current exports again"


def _check(ledger: Ledger, options: ExportOptions, today: date) -> None:
    if not re.match(LICENCE_PATTERN, options.licence):
        raise OutcomesError(f"--licence {options.licence!r}: use 1 to 100 letters, digits, blanks and .+()-")
    is_noisy = ledger.is_noisy()
    if is_noisy is not None and is_noisy != (options.epsilon is not None):
        raise OutcomesError(
            "this project exports with noise: give --epsilon and --cells; exact figures would undo the noise"
            if is_noisy
            else "this project has exported exact figures: noise would hide nothing any more, leave out --epsilon"
        )
    if options.until is None:
        return
    if options.until >= today:
        raise OutcomesError(f"--until {options.until}: this day is not over yet; give a day before today (UTC)")
    last_end = _last_end(ledger.current_exports())
    if last_end and options.until <= last_end:
        raise OutcomesError(f"--until {options.until}: all up to {last_end} is exported; --all writes it again")


def _exact_drafts(ledger: Ledger, options: ExportOptions, today: date, held_back: HeldBack) -> list[Draft]:
    """Return a draft for each current export with enough changed outcomes, then of the outcomes that are not exported
    yet: in a new window, or in the last one if no new window has ended."""
    current = ledger.current_exports()
    drafts = {export.window: _replacement(ledger, export, options.min_outcomes, held_back) for export in current}
    last_end = _last_end(current)
    until = options.until or windows.last_month_end(today)
    first_day = ledger.first_unexported_day()
    window = windows.following(last_end, first_day, until) if first_day else None
    window = window or next((export.window for export in reversed(current) if export.last_day), None)
    for name in (windows.OPENING, window):
        sums = ledger.unexported(name == windows.OPENING, max(until, last_end or until))
        rows = _due_rows(sums, options.min_outcomes, held_back)
        if rows and name:
            draft = drafts.setdefault(name, Draft(name, options.min_outcomes))
            draft.rows += rows
            draft.cells |= {_cell(row) for row in rows}
    due = [draft for draft in drafts.values() if draft.cells]
    return sorted(due, key=lambda draft: (draft.window != windows.OPENING, draft.window))


def _replacement(ledger: Ledger, export: CurrentExport, min_outcomes: int, held_back: HeldBack) -> Draft:
    """Return an export with today's figures in each row that at least `min_outcomes` changed outcomes (late, or now
    attributed otherwise) differ in. The other rows stay as they were exported."""
    draft = Draft(export.window, min(min_outcomes, export.min_outcomes), replaces=export.export_id)
    changed_rows = []
    for row in ledger.changed_rows(export.export_id):
        if row["changed_outcomes"] >= min_outcomes:
            changed_rows.append(row)
        else:
            held_back.late_outcomes += row["changed_outcomes"]
    draft.cells = {(row["task_type"], row["model_id"]) for row in changed_rows}
    rows = [row for row in ledger.exported_rows(export.export_id) if _cell(row) not in draft.cells]
    rows += as_rows(changed_rows)
    draft.rows = [row for row in rows if (row.outcomes or 0) >= draft.min_outcomes]
    return draft


def _due_rows(sums: Iterable[Mapping[str, Any]], min_outcomes: int, held_back: HeldBack) -> list[Row]:
    """Return the rows of the cells that have enough outcomes and publishable names."""
    due = []
    for row in sums:
        cell = (row["task_type"], row["model_id"])
        if checked(Row, {"task_type": cell[0], "model_id": cell[1], "successes": 0})[1]:
            held_back.unpublishable.append(cell)
        elif row["outcomes"] < min_outcomes:
            held_back.cells += 1
        else:
            due.append(row)
    return as_rows(due)


def _noisy_drafts(ledger: Ledger, options: ExportOptions, epsilon: float, today: date) -> list[Draft]:
    """Return a draft of the next window, and once of the opening balances, with new noise.

    Each outcome, late ones too, is in exactly one draw: a draw counts the outcomes that no earlier draw counted.
    A row that was held back is not drawn again: its noisy counts are added to the next ones. A window is exported
    even without a row, since its absence would tell something. No noisy export is ever replaced.
    """
    current = ledger.current_exports()
    until = options.until or windows.last_month_end(today)
    window = windows.following(_last_end(current), FIRST_DAY, until)
    is_opened = any(export.window == windows.OPENING for export in current)
    due = [windows.OPENING] if ledger.has_opening_balances() and not is_opened else []
    due += [window] if window else []
    return [_noisy_draft(ledger, name, until, options, epsilon) for name in due]


def _noisy_draft(ledger: Ledger, window: str, until: date, options: ExportOptions, epsilon: float) -> Draft:
    is_opening = window == windows.OPENING
    trials, drawn = ledger.trials(is_opening, until), ledger.drawn_trials(is_opening)
    held_back = ledger.held_back_draws(is_opening)
    counts = [
        max(0, total - before)
        for cell in options.cells
        for total, before in zip(trials.get(cell, (0, 0)), drawn.get(cell, (0, 0)), strict=True)
    ]
    noisy_counts = privacy.noisy(counts, epsilon)
    draft = Draft(window, options.min_outcomes, cells=set(options.cells))
    for index, cell in enumerate(options.cells):
        (successes, failures), (noisy_successes, noisy_failures) = (
            values[2 * index : 2 * index + 2] for values in (counts, noisy_counts)
        )
        draft.draws.append((*cell, epsilon, successes, failures, noisy_successes, noisy_failures))
        earlier_successes, earlier_failures, earlier_variance = held_back.get(cell, (0, 0, 0.0))
        noisy_successes, noisy_failures = noisy_successes + earlier_successes, noisy_failures + earlier_failures
        if noisy_successes + noisy_failures >= options.min_outcomes:
            draft.rows.append(
                Row(
                    task_type=cell[0], model_id=cell[1], successes=noisy_successes, failures=noisy_failures,
                    noise_variance=earlier_variance + privacy.variance(epsilon),
                )
            )  # fmt: skip
    return draft


def _rendered(drafts: Sequence[Draft], options: ExportOptions, project: str, as_of: str) -> list[Export]:
    noise = {"epsilon": options.epsilon, "mechanism": privacy.MECHANISM} if options.epsilon else {}
    header = {"project": project, "as_of": as_of, "licence": options.licence}
    for draft in drafts:
        smallest = min((row.outcomes for row in draft.rows if row.outcomes is not None), default=draft.min_outcomes)
        assert smallest >= draft.min_outcomes >= MIN_OUTCOMES, f"{draft.window}: a row of {smallest} outcomes"
    try:
        return [
            render(
                {**header, "window": draft.window, "privacy": {"min_outcomes": draft.min_outcomes, **noise}}, draft.rows
            )
            for draft in drafts
        ]
    except msgspec.ValidationError as fault:
        raise OutcomesError(f"cannot export: {fault}") from None


def _cell(row: Row) -> Cell:
    return row.task_type, row.model_id


def _last_end(current: Sequence[CurrentExport]) -> date | None:
    return max((export.last_day for export in current if export.last_day), default=None)

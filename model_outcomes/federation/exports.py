"""What leaves: the sums of cells with enough outcomes since their last export, and corrections of what left.

docs/federation.md has the rules. The views int_outcomes_unexported and int_exports_recounted say what is
not exported yet, and what would stand in an exported row today; here it is decided what of that goes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from model_outcomes.answers import queries
from model_outcomes.base import clock, paths
from model_outcomes.base.dbt_vars import LEAST_EXPORTED
from model_outcomes.base.errors import OutcomesError
from model_outcomes.federation import files, ledger, names, privacy, windows
from model_outcomes.federation.format import FIGURES, Export, Row, checked, render
from model_outcomes.federation.names import Cell, Remembered
from model_outcomes.log import store

LICENCE = "CC0-1.0"
FIRST_DAY = date(1970, 1, 1)

_SUMS = ", ".join(
    f"{extreme}(outcome_date) as {name}" if (extreme := {"first_day": "min", "last_day": "max"}.get(name))
    else f"sum({name}) as {name}"
    for name in FIGURES
)  # fmt: skip


class Terms(msgspec.Struct, frozen=True):
    """The choices of the user: the last day (None: the last whole month), the smallest cell, the licence,
    and for a noisy export the privacy loss and the cells that it tells of."""

    until: date | None = None
    min_outcomes: int = LEAST_EXPORTED
    licence: str = LICENCE
    epsilon: float | None = None
    cells: Sequence[Cell] = ()


class Held(msgspec.Struct):
    """The outcomes that wait: cells under the cut, late outcomes of exported rows, and names that must not leave."""

    cells: int = 0
    outcomes: int = 0
    late_outcomes: int = 0
    names: list[Cell] = []


class Draft(msgspec.Struct):
    """An export in the making, and the one that it replaces: its rows, none smaller than `min_outcomes`, the
    cells whose rows are not as they left before, and the names that leave with these."""

    window: str
    min_outcomes: int
    rows: list[Row] = []
    told: set[Cell] = set()
    names: set[Remembered] = set()
    replaces: int | None = None
    draws: list[tuple[object, ...]] = []


class Made(msgspec.Struct, frozen=True):
    """The result of an export: the new exports, the outcomes that wait, and whether a file was written."""

    project: str
    drafts: list[Draft]
    held: Held
    is_written: bool


def export(connection: sqlite3.Connection, output: str, terms: Terms, *, everything: bool = False) -> Made:
    """Write what is due, or with it all that stands, and note that it left. Without anything to write
    no file is made.

    Raises OutcomesError where the terms contradict those of earlier exports, or the file cannot be
    written; then nothing is noted.
    """
    now = clock.utc_now()
    _check(connection, terms, now.date())
    names.recall(connection)
    with store.transaction(connection):
        project = ledger.project(connection)
    held = Held()
    connection.execute("begin")  # one moment, whoever records meanwhile
    try:
        drafts = _noisy(connection, terms, now.date()) if terms.epsilon else _exact(connection, terms, now.date(), held)
        for draft in drafts:
            span = windows.span(draft.window)
            draft.names = names.leaving(connection, draft.told, span is None, str(span[1]) if span else "")
        exports = _rendered(drafts, terms, project, clock.to_text(ledger.next_moment(connection, now)))
        before = ledger.texts(connection, but={draft.window for draft in drafts}) if everything else ""
    finally:
        connection.execute("rollback")
    text = before + "".join(made.text for made in exports)
    if text:
        with files.writing(output, text):
            _note(connection, drafts, exports)
    return Made(project, drafts, held, bool(text))


def report(made: Made, output: str, terms: Terms) -> Iterator[str]:
    """Yield what came of an export, in words."""
    held = made.held
    for draft in made.drafts:
        yield f"{draft.window}: {len(draft.rows):,} cells" + (
            ", in place of an earlier export" if draft.replaces else ""
        )
    few = held.cells - len(held.names)
    if few:
        yield f"held back: {few:,} cells with fewer than {terms.min_outcomes:,} outcomes since their last export"
    if held.late_outcomes:
        yield f"held back: {held.late_outcomes:,} late outcomes, fewer than {terms.min_outcomes:,} in a row"
    for cell in held.names:
        yield f"held back: {', '.join(map(repr, cell))}: no name for others, give it another with --rename-map"
    if made.is_written:
        where = "standard output" if output == "-" else paths.absolute(output)
        yield f"written to {where} as project {made.project}"
    else:
        yield "nothing new to export, no file was written; --all writes what was exported before"


def _rendered(drafts: Sequence[Draft], terms: Terms, project: str, as_of: str) -> list[Export]:
    noise = {"epsilon": terms.epsilon, "mechanism": privacy.MECHANISM} if terms.epsilon else {}
    header = {"project": project, "as_of": as_of, "licence": terms.licence}
    for draft in drafts:
        smallest = min((row.outcomes for row in draft.rows if row.outcomes is not None), default=draft.min_outcomes)
        assert smallest >= draft.min_outcomes >= LEAST_EXPORTED, f"{draft.window}: a row of {smallest} outcomes"
    try:
        return [
            render(
                {**header, "window": draft.window, "privacy": {"min_outcomes": draft.min_outcomes, **noise}}, draft.rows
            )
            for draft in drafts
        ]
    except msgspec.ValidationError as fault:
        raise OutcomesError(f"this cannot be exported: {fault}") from None


def _note(connection: sqlite3.Connection, drafts: Sequence[Draft], exports: Sequence[Export]) -> None:
    """Note what leaves, its names, and the noise that was drawn for it, in one transaction."""
    draw = (
        "insert into federated_draws (drawn_at, export_window, task_type, model_id, epsilon, successes, failures,"
        " noisy_successes, noisy_failures) values (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    )
    tell = (
        "update federated_draws set export_id = ? where export_id is null and task_type = ? and model_id = ?"
        " and (export_window = 'opening') = ?"
    )
    with store.transaction(connection):
        for draft, made in zip(drafts, exports, strict=True):
            export_id = ledger.keep(connection, made, draft.replaces)
            names.remember(connection, draft.names)
            connection.executemany(draw, [(made.header.as_of, draft.window, *drawn) for drawn in draft.draws])
            if draft.draws:
                is_opening = draft.window == windows.OPENING
                connection.executemany(
                    tell, [(export_id, row.task_type, row.model_id, is_opening) for row in made.rows]
                )


def _check(connection: sqlite3.Connection, terms: Terms, today: date) -> None:
    was_noisy = ledger.is_noisy(connection)
    if was_noisy is not None and was_noisy != (terms.epsilon is not None):
        raise OutcomesError(
            "this project exports with noise: give --epsilon and --cells; exact figures would undo it"
            if was_noisy
            else "this project has exported exact figures: noise in later ones would hide nothing, leave --epsilon out"
        )
    if terms.until is None:
        return
    if terms.until >= today:
        raise OutcomesError(f"--until {terms.until} is not over yet: a window ends with a day that is")
    last_end = _last_end(ledger.standing(connection))
    if last_end and terms.until <= last_end:
        raise OutcomesError(f"--until {terms.until}: all up to {last_end} was exported before; --all writes it again")


def _exact(connection: sqlite3.Connection, terms: Terms, today: date, held: Held) -> list[Draft]:
    standing = ledger.standing(connection)
    drafts = {one.window: _recounted(connection, one, terms.min_outcomes, held) for one in standing}
    last_end = _last_end(standing)
    until = terms.until or windows.last_month_end(today)
    first = connection.execute("select min(outcome_date) from int_outcomes_unexported").fetchone()[0]
    last_window = next((one.window for one in reversed(standing) if one.last_day), None)
    window = (windows.following(last_end, date.fromisoformat(first), until) if first else None) or last_window
    end = max(until, last_end) if last_end else until
    for name, is_opening in ((windows.OPENING, 1), (window, 0)):
        rows = _unexported(connection, is_opening, end, terms.min_outcomes, held)
        if rows and name:
            draft = drafts.setdefault(name, Draft(name, terms.min_outcomes))
            draft.rows += rows
            draft.told |= {_cell(row) for row in rows}
    return [drafts[name] for name in sorted(drafts, key=_order) if drafts[name].told]


def _recounted(connection: sqlite3.Connection, export: ledger.Standing, min_outcomes: int, held: Held) -> Draft:
    """Return the rows of an export as of today: a row is counted anew once enough outcomes are late or attributed
    otherwise, and till then stays as it left."""
    found = queries.rows(connection, "select * from int_exports_recounted where export_id = ?", (export.export_id,))
    due = [row for row in found if row["changed_outcomes"] >= min_outcomes]
    held.late_outcomes += sum(row["changed_outcomes"] for row in found) - sum(row["changed_outcomes"] for row in due)
    draft = Draft(export.window, min(min_outcomes, export.min_outcomes), replaces=export.export_id)
    draft.told = {(row["task_type"], row["model_id"]) for row in due}
    rows = [row for row in ledger.exported_rows(connection, export.export_id) if _cell(row) not in draft.told]
    rows += ledger.as_rows(due)
    draft.rows = [row for row in rows if (row.outcomes or 0) >= draft.min_outcomes]
    return draft


def _unexported(connection: sqlite3.Connection, is_opening: int, end: date, min_outcomes: int, held: Held) -> list[Row]:
    """Return the rows of the cells that have enough outcomes since their last one."""
    found = queries.rows(
        connection,
        f"select task_type, model_id, {_SUMS} from int_outcomes_unexported"
        " where is_opening = ? and (is_opening = 1 or outcome_date <= ?) group by task_type, model_id",
        (is_opening, str(end)),
    )
    rows = []
    for row in found:
        cell = (row["task_type"], row["model_id"])
        is_named = not checked(Row, {"task_type": cell[0], "model_id": cell[1], "successes": 0})[1]
        if row["outcomes"] >= min_outcomes and is_named:
            rows += ledger.as_rows([row])
            continue
        held.cells += 1
        held.outcomes += row["outcomes"]
        held.names += [] if is_named else [cell]
    return rows


def _noisy(connection: sqlite3.Connection, terms: Terms, today: date) -> list[Draft]:
    """Return a draft of the next window, and once of the opening balances, with fresh noise.

    Each outcome is in one draw alone: a draw takes what no draw before it has seen, late outcomes too.
    What was held back is not drawn again, its noisy counts are added to the next ones. A window goes
    even without a row, since whether it has one says something. Nothing is ever replaced.
    """
    standing = ledger.standing(connection)
    last_end = _last_end(standing)
    until = terms.until or windows.last_month_end(today)
    window = windows.following(last_end, FIRST_DAY, until)
    has_balances = connection.execute("select count(*) from legacy_model_stats").fetchone()[0]
    is_opened = any(one.window == windows.OPENING for one in standing)
    due = [windows.OPENING] if has_balances and not is_opened else []
    due += [window] if window else []
    return [_drawn(connection, name, until, terms) for name in due]


def _drawn(connection: sqlite3.Connection, window: str, until: date, terms: Terms) -> Draft:
    is_opening = window == windows.OPENING
    counted = _pairs(
        connection,
        "select task_type, model_id, sum(successes), sum(outcomes - successes - infrastructure_failures)"
        " from int_outcomes_publishable where is_opening = ? and (is_opening = 1 or outcome_date <= ?)"
        " group by task_type, model_id", is_opening, str(until),
    )  # fmt: skip
    sums = (
        "select task_type, model_id, sum({0}successes), sum({0}failures), sum(2 / (epsilon * epsilon))"
        " from federated_draws where (export_window = 'opening') = ? {1} group by task_type, model_id"
    )
    seen = _pairs(connection, sums.format("", ""), is_opening)
    pending = _pairs(connection, sums.format("noisy_", "and export_id is null"), is_opening)
    assert terms.epsilon is not None
    new = [max(0, counted.get(cell, (0, 0))[k] - seen.get(cell, (0, 0))[k]) for cell in terms.cells for k in (0, 1)]
    noisy = privacy.noisy(new, terms.epsilon)
    draft = Draft(window, terms.min_outcomes, told=set(terms.cells))
    for index, cell in enumerate(terms.cells):
        pair = slice(2 * index, 2 * index + 2)
        draft.draws.append((*cell, terms.epsilon, *new[pair], *noisy[pair]))
        before = pending.get(cell, (0, 0, 0.0))
        successes, failures = before[0] + noisy[pair][0], before[1] + noisy[pair][1]
        if successes + failures >= terms.min_outcomes:
            noise = before[2] + privacy.variance(terms.epsilon)
            row = Row(task_type=cell[0], model_id=cell[1], successes=successes, failures=failures, noise_variance=noise)
            draft.rows.append(row)
    return draft


def _cell(row: Row) -> Cell:
    return row.task_type, row.model_id


def _pairs(connection: sqlite3.Connection, query: str, *values: object) -> dict[Cell, tuple[int, ...]]:
    return {(row[0], row[1]): tuple(row[2:]) for row in connection.execute(query, values)}


def _last_end(standing: Sequence[ledger.Standing]) -> date | None:
    return max((date.fromisoformat(one.last_day) for one in standing if one.last_day), default=None)


def _order(window: str) -> str:
    return "" if window == windows.OPENING else window

"""The ledger of a project's own exports: its pseudonym, its exports with their rows, published names and noise.

A task type or model that was exported keeps its published name for ever, even if an alias or rename map changes later.
Otherwise exported figures would move between cells and be counted twice. The table federated_names holds the published
names, by the recorded name and by its name in model_aliases; int_outcomes_publishable looks there first.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Container, Iterable, Mapping
from datetime import date, datetime, timedelta, timezone
from typing import Any

import msgspec

from model_outcomes.answers import queries
from model_outcomes.base.errors import OutcomesError
from model_outcomes.federation import windows
from model_outcomes.federation.format import CARRIES, CARRY_UNIT, FIGURES, Export, Row
from model_outcomes.log import store

Cell = tuple[str, str]  # task type, model
NameEntry = tuple[str, str, str]  # kind, name, published name
Draw = tuple[str, str, float, int, int, int, int]  # cell, epsilon, successes, failures, and both with noise

GREATEST_SUM = 10**18

_INSERT_ROW = (
    f"insert into federated_export_rows (export_id, task_type, model_id, {', '.join(FIGURES)})"
    f" values (?, ?, ?{', ?' * len(FIGURES)})"
)
_EXTREMES = {"first_day": "min", "last_day": "max"}
_SUMS = ", ".join(
    f"{_EXTREMES[name]}(outcome_date) as {name}" if name in _EXTREMES else f"sum({name}) as {name}" for name in FIGURES
)


class CurrentExport(msgspec.Struct, frozen=True):
    """An export that no later one has replaced; `min_outcomes` is the smallest row that it could have."""

    export_id: int
    window: str
    last_day: date | None
    min_outcomes: int


class Ledger:
    """The tables federated_* of one log, and the views over them that tell which outcomes are not exported yet."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def project(self) -> str:
        """Return this project's pseudonym; the first call draws it at random."""
        self._connection.execute(
            "insert into federated_identity (only_row, project) values (1, ?) on conflict do nothing",
            (secrets.token_hex(16),),
        )
        return str(self._value("select project from federated_identity"))

    def is_noisy(self) -> bool | None:
        """Return whether this project exports with noise; None before its first export."""
        is_noisy = self._value("select max(epsilon is not null) from federated_exports")
        return None if is_noisy is None else bool(is_noisy)

    def next_as_of(self, now: datetime) -> datetime:
        """Return `now`, or just after the last export if the clock went back: a later export needs a later time."""
        last = self._value("select max(as_of) from federated_exports")
        if last is None:
            return now
        last_moment = datetime.fromisoformat(last.removesuffix("Z")).replace(tzinfo=timezone.utc)
        return max(now, last_moment + timedelta(microseconds=1))

    def current_exports(self) -> list[CurrentExport]:
        """Return the current exports: the opening balances first, then by window."""
        rows = self._connection.execute(
            "select export_id, export_window, last_day,"
            " json_extract(substr(content, 1, instr(content, char(10))), '$.privacy.min_outcomes')"
            " from federated_exports where replaced_by is null order by last_day"
        )
        return [CurrentExport(id, window, day and date.fromisoformat(day), least) for id, window, day, least in rows]

    def texts(self, other_than: Container[str]) -> str:
        """Return the current exports as they were written, without those of some windows."""
        rows = self._connection.execute(
            "select export_window, content from federated_exports where replaced_by is null order by last_day"
        )
        return "".join(content for window, content in rows if window not in other_than)

    def exported_rows(self, export_id: int) -> list[Row]:
        """Return the rows of an export as they were written."""
        return as_rows(self._rows("select * from federated_export_rows where export_id = ?", export_id))

    def changed_rows(self, export_id: int) -> queries.Answer:
        """Return those rows of an export that would differ today, with today's figures and `changed_outcomes`."""
        return self._rows("select * from int_exports_recounted where export_id = ?", export_id)

    def first_unexported_day(self) -> date | None:
        """Return the first day with an outcome that no export has a row for."""
        day = self._value("select min(outcome_date) from int_outcomes_unexported")
        return date.fromisoformat(day) if day else None

    def unexported(self, is_opening: bool, until: date) -> queries.Answer:
        """Return the sums of each cell over its opening balances, or over its outcomes up to a day, since its last
        row."""
        return self._rows(
            f"select task_type, model_id, {_SUMS} from int_outcomes_unexported"
            " where is_opening = ? and (is_opening = 1 or outcome_date <= ?) group by task_type, model_id",
            is_opening,
            str(until),
        )

    def has_opening_balances(self) -> bool:
        return bool(self._value("select exists (select 1 from legacy_model_stats)"))

    def trials(self, is_opening: bool, until: date) -> dict[Cell, tuple[int, int]]:
        """Return the successes and failures of each cell: of its opening balances, or of its outcomes up to a day."""
        return self._by_cell(
            "select task_type, model_id, sum(successes), sum(outcomes - successes - infrastructure_failures)"
            " from int_outcomes_publishable where is_opening = ? and (is_opening = 1 or outcome_date <= ?)"
            " group by task_type, model_id",
            is_opening,
            str(until),
        )

    def drawn_trials(self, is_opening: bool) -> dict[Cell, tuple[int, int]]:
        """Return the successes and failures of each cell that noise was drawn for, without the noise."""
        return self._by_cell(
            "select task_type, model_id, sum(successes), sum(failures)"
            " from federated_draws where (export_window = 'opening') = ? group by task_type, model_id",
            is_opening,
        )

    def held_back_draws(self, is_opening: bool) -> dict[Cell, tuple[int, int, float]]:
        """Return the noisy successes and failures of each cell that were drawn and not exported, with the variance
        of their noise."""
        return self._by_cell(
            "select task_type, model_id, sum(noisy_successes), sum(noisy_failures), sum(2 / (epsilon * epsilon))"
            " from federated_draws where (export_window = 'opening') = ? and export_id is null"
            " group by task_type, model_id",
            is_opening,
        )

    def published_names(self, window: str, cells: Container[Cell]) -> set[NameEntry]:
        """Return the names whose outcomes up to the end of a window are summed in one of these published cells."""
        span = windows.span(window)
        rows = self._connection.execute(
            "select distinct recorded_task_type, recorded_model_id, task_type, outcomes.model_id, first.model_id"
            " from int_outcomes_publishable as outcomes"
            " left join model_aliases as first on first.alias = recorded_model_id and not exists ("
            "select 1 from model_aliases as next where next.alias = first.model_id and next.model_id <> next.alias)"
            " where is_opening = ? and (is_opening = 1 or outcome_date <= ?)",
            (span is None, str(span[1]) if span else ""),
        )
        names = set()
        for task_type, model_id, published_task_type, published_model_id, aliased_model_id in rows:
            if (published_task_type, published_model_id) in cells:
                names |= {("task_type", task_type, published_task_type), ("model_id", model_id, published_model_id)}
                # A model exported by its alias has used up the name in model_aliases, unless that is an alias itself.
                if aliased_model_id == published_model_id:
                    names.add(("model_id", aliased_model_id, aliased_model_id))
        return names

    def rename(self, names: Iterable[NameEntry]) -> None:
        """Write the published names that the user wants. Raises OutcomesError if one of the names was exported under
        another published name."""
        with store.transaction(self._connection):
            exported = {
                (kind, name)
                for kind in ("task_type", "model_id")
                for (name,) in self._connection.execute(
                    f"select {kind} from federated_export_rows union"
                    f" select {kind} from federated_draws where successes + failures > 0"
                )
            }
            for kind, name, published_name in names:
                earlier = self._connection.execute(
                    "select published_name from federated_names where kind = ? and name = ?", (kind, name)
                ).fetchone()
                if earlier and earlier[0] != published_name and (kind, earlier[0]) in exported:
                    raise OutcomesError(f"rename map: {name!r} was exported as {earlier[0]!r} and keeps that name")
                self._connection.execute(
                    "insert into federated_names (kind, name, published_name) values (?, ?, ?)"
                    " on conflict do update set published_name = excluded.published_name",
                    (kind, name, published_name),
                )

    def add(self, export: Export, replaces: int | None, names: Iterable[NameEntry], draws: Iterable[Draw]) -> None:
        """Write an export, its names and its noise; its rows only if they are exact. Call it within a transaction."""
        header = export.header
        span = windows.span(header.window)
        export_id = self._connection.execute(
            "insert into federated_exports (export_window, last_day, as_of, licence, epsilon, row_count, rows_sha256,"
            " content) values (?, ?, ?, ?, ?, ?, ?, ?)",
            (header.window, span and str(span[1]), header.as_of, header.licence, header.privacy.epsilon, header.rows,
             header.sha256, export.text),
        ).lastrowid  # fmt: skip
        assert export_id is not None
        if replaces is not None:
            self._connection.execute(
                "update federated_exports set replaced_by = ? where export_id = ?", (export_id, replaces)
            )
        # A name that is known already keeps its published name.
        self._connection.executemany(
            "insert into federated_names (kind, name, published_name) values (?, ?, ?)"
            " on conflict (kind, name) do nothing",
            sorted(names),
        )
        if header.privacy.epsilon is None:
            self._connection.executemany(_INSERT_ROW, (_values(export_id, row) for row in export.rows))
        else:
            self._add_draws(export, export_id, draws)

    def _add_draws(self, export: Export, export_id: int, draws: Iterable[Draw]) -> None:
        """Write the noise of an export, and mark the draws that its rows sum."""
        window = export.header.window
        self._connection.executemany(
            "insert into federated_draws (drawn_at, export_window, task_type, model_id, epsilon, successes, failures,"
            " noisy_successes, noisy_failures) values (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [(export.header.as_of, window, *draw) for draw in draws],
        )
        self._connection.executemany(
            "update federated_draws set export_id = ? where export_id is null and task_type = ? and model_id = ?"
            " and (export_window = 'opening') = ?",
            [(export_id, row.task_type, row.model_id, window == windows.OPENING) for row in export.rows],
        )

    def _rows(self, query: str, *values: object) -> queries.Answer:
        return queries.rows(self._connection, query, values)

    def _value(self, query: str) -> Any:
        return self._connection.execute(query).fetchone()[0]

    def _by_cell(self, query: str, *values: object) -> dict[Cell, Any]:
        return {(row[0], row[1]): tuple(row[2:]) for row in self._connection.execute(query, values)}


def as_rows(answer: Iterable[Mapping[str, object]]) -> list[Row]:
    """Return rows of a table or view as rows of an export. A sum gets its carry only above 10^18."""
    rows = []
    for values in answer:
        row = Row(**{name: values[name] for name in ("task_type", "model_id", *FIGURES)})  # type: ignore[arg-type]
        for name in ("tokens_squared", "cost_usd_squared"):
            # Corrections are differences of doubles, which may leave a rest below 0.
            setattr(row, name, None if (square := getattr(row, name)) is None else max(square, 0.0))
        for name, carry in CARRIES.items():
            total, units = row.total(name), None
            if total is not None and total > GREATEST_SUM:
                units, total = divmod(total, CARRY_UNIT)
            setattr(row, name, total)
            setattr(row, carry, units)
        rows.append(row)
    return rows


def _values(export_id: int, row: Row) -> tuple[object, ...]:
    return (export_id, row.task_type, row.model_id, *(getattr(row, name) for name in FIGURES))

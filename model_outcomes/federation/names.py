"""Names that leave: a task type or model that has left keeps its published name for ever, whatever aliases and
rename maps say later, or figures that left would move between cells and be told twice.

The table federated_names remembers them, by the name recorded and by the one that model_aliases has for it;
int_outcomes_publishable looks there first.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Container, Iterable, Mapping

import msgspec

from model_outcomes.base.errors import OutcomesError
from model_outcomes.federation.format import Name
from model_outcomes.log import store

Cell = tuple[str, str]
Remembered = tuple[str, str, str]  # kind, name, published name

KINDS = {"task_types": "task_type", "models": "model_id"}
_REMEMBER = (
    "insert into federated_names (kind, name, published_name) values (?, ?, ?) on conflict (kind, name) do nothing"
)


def leaving(
    connection: sqlite3.Connection, cells: Container[Cell] | None, is_opening: bool, end: str
) -> set[Remembered]:
    """Return the names by which outcomes up to a day, or opening balances, are in one of these published cells (None:
    any)."""
    found = connection.execute(
        "select distinct recorded_task_type, recorded_model_id, task_type, outcomes.model_id, first.model_id"
        " from int_outcomes_publishable as outcomes"
        " left join model_aliases as first on first.alias = recorded_model_id and not exists ("
        "select 1 from model_aliases as next where next.alias = first.model_id and next.model_id <> next.alias)"
        " where is_opening = ? and (is_opening = 1 or outcome_date <= ?)",
        (is_opening, end),
    )
    names = set()
    for task_type, model_id, published_task_type, published_model_id, stands_for in found:
        if cells is None or (published_task_type, published_model_id) in cells:
            names |= {("task_type", task_type, published_task_type), ("model_id", model_id, published_model_id)}
            # What left by an alias has used up the name it stands for, unless that is an alias itself.
            names |= {("model_id", stands_for, stands_for)} if stands_for == published_model_id else set()
    return names


def remember(connection: sqlite3.Connection, names: Iterable[Remembered]) -> None:
    """Keep names that leave; those that are known already stay what they are."""
    connection.executemany(_REMEMBER, sorted(names))


def recall(connection: sqlite3.Connection) -> None:
    """Remember what left before names were: of each name in the ledger that nothing leads to, who has it today."""
    with store.transaction(connection):
        forgotten = {
            kind: {
                name
                for name in _left(connection, kind)
                if not connection.execute(
                    "select 1 from federated_names where kind = ? and published_name = ?", (kind, name)
                ).fetchone()
            }
            for kind in KINDS.values()
        }
        # First by themselves: what left under its own name does not follow a later alias.
        remember(connection, {(kind, name, name) for kind, names in forgotten.items() for name in names})
        if any(forgotten.values()):
            (end,) = connection.execute("select coalesce(max(last_day), '') from federated_exports").fetchone()
            found = {name for is_opening in (True, False) for name in leaving(connection, None, is_opening, end)}
            remember(connection, (name for name in found if name[2] in forgotten[name[0]]))


def rename(connection: sqlite3.Connection, names: Mapping[str, Mapping[str, str]]) -> None:
    """Remember under which names task types and models are to leave.

    Raises OutcomesError where the mapping is not {"task_types": {...}, "models": {...}}, or names something
    that has left under another name.
    """
    for kind, mapping in names.items():
        if kind not in KINDS or not isinstance(mapping, dict):
            raise OutcomesError('a rename map is JSON of the form {"task_types": {name: other}, "models": {...}}')
        for published in mapping.values():
            try:
                msgspec.convert(published, Name)
            except msgspec.ValidationError:
                raise OutcomesError(
                    f"rename map: {published!r} is no name that may leave: a path, blank or too long"
                ) from None
    recall(connection)
    with store.transaction(connection):
        for kind, mapping in ((KINDS[kind], mapping) for kind, mapping in names.items()):
            left = _left(connection, kind)
            for name, published in mapping.items():
                known = connection.execute(
                    "select published_name from federated_names where kind = ? and name = ?", (kind, name)
                ).fetchone()
                if known and known[0] != published and known[0] in left:
                    raise OutcomesError(f"rename map: {name!r} left as {known[0]!r} already, and keeps that name")
                connection.execute(
                    "insert into federated_names (kind, name, published_name) values (?, ?, ?)"
                    " on conflict do update set published_name = excluded.published_name",
                    (kind, name, published),
                )


def _left(connection: sqlite3.Connection, kind: str) -> set[str]:
    """Published names that any export told of, or that noise was drawn for."""
    return {
        name
        for (name,) in connection.execute(
            f"select {kind} from federated_export_rows union"
            f" select {kind} from federated_draws where successes + failures > 0"
        )
    }

"""The table `caveats` of a published snapshot: one row per place of a caveat, or per caveat that has no place."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from model_outcomes.answers import queries
from model_outcomes.answers.caveats.caveat import Caveat, Kind, Place

TABLE = "caveats"
COLUMNS = {
    "priority": ("integer", "Order of the caveats, 1 for the most serious."),
    "kind": ("text", "The kind of caveat, for programs."),
    "title": ("text", "The kind of caveat, for people."),
    "consequence": ("text", "What follows from it."),
    "next_step": ("text", "What to do; null if nothing can be done."),
    "figures": ("text", "Figures about all places together, as JSON."),
    "place_count": ("integer", "Number of places; only the first 8 have rows."),
    "place_number": ("integer", "Number of the place, from 1; null if the caveat has no place."),
    "place": ("text", "Where, in words and figures."),
    "task_type": ("text", "The task type of the place; null if it is about several."),
    "model_id": ("text", "The model of the place; null if it is about several."),
    "place_figures": ("text", "The figures of the place, as JSON."),
}
DESCRIPTION = "One row per caveat and place: reasons not to trust figures, the most serious first."


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


def stored(snapshot: sqlite3.Connection) -> list[Caveat]:
    """Return the caveats in a published snapshot, without the one that depends on the current time."""
    places: dict[int, list[Place]] = {}
    firsts: dict[int, dict[str, Any]] = {}
    for row in queries.rows(snapshot, f"select * from {TABLE} order by priority, place_number"):
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

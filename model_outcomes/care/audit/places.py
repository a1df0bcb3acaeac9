"""Finds which outcomes and corrections each built table has counted.

The rollups say so themselves. The other tables are built later in the same build, and may have counted more: their
numbers of attempts and successes tell how much more.
"""

from __future__ import annotations

import sqlite3
from typing import Any, NamedTuple

from model_outcomes.care.audit import rollups
from model_outcomes.care.audit.comparison import Row

LATER_CORRECTIONS = 20  # so many after those in the rollup are looked for in a table

# The attempts and successes among the outcomes up to an id, by the verdicts up to a correction.
COUNTED = """
select
    (select count(*) from model_outcomes where id <= :last_outcome_id)
    - count(*) filter (where verdict = 'void'),
    (select coalesce(sum(success), 0) from model_outcomes where id <= :last_outcome_id)
    + coalesce(sum((verdict = 'success') - success), 0)
from (
    select outcome_id, verdict, max(correction_id) from outcome_corrections
    where correction_id <= :last_correction_id and outcome_id <= :last_outcome_id
    group by outcome_id
)
inner join model_outcomes on model_outcomes.id = outcome_id
"""


class Place(NamedTuple):
    """The last outcome and the last correction in a table."""

    last_outcome_id: int
    last_correction_id: int


class Places:
    """The places of all tables; `now` is that of the live views."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.now = Place(
            *row(
                connection,
                "select (select coalesce(max(id), 0) from model_outcomes),"
                " (select coalesce(max(correction_id), 0) from outcome_corrections)",
            )
        )
        self.totals, self.daily = (
            Place(
                *row(
                    connection,
                    f"select coalesce(max(last_outcome_id), 0), coalesce(max(last_correction_id), 0) from {table}",
                )
            )
            for table in ("int_outcomes_totals", "int_outcomes_daily")
        )
        self._used = {self.now, self.totals, self.daily}

    def of_days(self, table: str, attempts: str) -> Place:
        """Return the place of a table of days."""
        counts = row(self._connection, f"select coalesce(sum({attempts}), 0), coalesce(sum(successes), 0) from {table}")
        place = self._with(self.daily, *counts) or self._with(self.daily, counts[0]) or self.daily
        return self._use(place)

    def of_rankings(self) -> tuple[Place, int]:
        """Return the place of model_rankings, and the id of the last import of opening balances in it."""
        attempts, successes = row(
            self._connection,
            "select coalesce(sum(successes + failures), 0), coalesce(sum(successes), 0) from model_rankings",
        )
        imports = self._connection.execute(
            "select load_id, sum(sum(successes + failures)) over (order by load_id),"
            " sum(sum(successes)) over (order by load_id)"
            " from legacy_model_stats group by load_id order by load_id desc"
        ).fetchall()
        loads = [*imports, (0, 0, 0)]
        for load, balance, balance_successes in loads:
            if place := self._with(self.totals, attempts - balance, successes - balance_successes):
                return self._use(place), load
        for load, balance, _ in loads:
            if place := self._with(self.totals, attempts - balance):
                return self._use(place), load
        return self.totals, imports[0][0] if imports else 0

    def compute(self) -> None:
        """Create the temporary tables of outcomes in all places that were asked for."""
        connection = self._connection
        connection.execute(
            "create temporary table audited_places (place integer, last_outcome_id integer, last_correction_id integer)"
        )
        self._order = sorted(self._used)
        connection.executemany(
            "insert into audited_places values (?, ?, ?)",
            [(number, *place) for number, place in enumerate(self._order)],
        )
        marks = sorted({place.last_outcome_id for place in self._used})
        case = " ".join(f"when id <= {mark} then {mark}" for mark in marks)
        for statement in (
            rollups.VERDICTS, rollups.COUNTS.format(mark=f"case {case} end"), rollups.CELLS, rollups.ATTRIBUTED,
        ):  # fmt: skip
            connection.execute(statement)

    def values(self, place: Place) -> dict[str, Any]:
        """Return the values of rollups.WITHIN."""
        return {"place": self._order.index(place), "mark": place.last_outcome_id}

    def tolerances(self) -> dict[str, float]:
        """Return the rounding that differences of sums of squares may leave."""
        usd, tokens, corrected = row(
            self._connection,
            "select total(usd_squared), total(tokens_squared), count(place) from audited_counts",
        )
        return {"cost_usd_squared": usd * 1e-14, "tokens_squared": tokens * 1e-14} if corrected else {}

    def corrections(self, rolled_up: Place) -> list[int]:
        """Return the corrections that may be the last one in a table: the last one of the rollup, and some later
        ones."""
        later = self._connection.execute(
            "select correction_id from outcome_corrections where correction_id > ? order by correction_id limit ?",
            (rolled_up.last_correction_id, LATER_CORRECTIONS),
        )
        return [rolled_up.last_correction_id, *(correction_id for (correction_id,) in later)]

    def _use(self, place: Place) -> Place:
        self._used.add(place)
        return place

    def _with(self, rolled_up: Place, attempts: int, successes: int | None = None) -> Place | None:
        """Return the place from `rolled_up` on with so many attempts (and successes), None without such a place."""
        for correction_id in self.corrections(rolled_up):
            place = Place(rolled_up.last_outcome_id, correction_id)
            counted, succeeded = self._counted(place)
            while counted < attempts and place.last_outcome_id < self.now.last_outcome_id:
                (last,) = row(
                    self._connection,
                    "select max(id) from (select id from model_outcomes where id > ? order by id limit ?)",
                    place.last_outcome_id, attempts - counted,
                )  # fmt: skip
                place = Place(last, correction_id)
                counted, succeeded = self._counted(place)
            if counted == attempts and successes in (succeeded, None):
                return place
        return None

    def _counted(self, place: Place) -> tuple[int, int]:
        counted, succeeded = self._connection.execute(COUNTED, place._asdict()).fetchone()
        return counted, succeeded


def row(connection: sqlite3.Connection, query: str, *values: Any) -> Row:
    """Return the first row of a query."""
    first: Row = connection.execute(query, values).fetchone()
    return first

"""The Python interface: `ModelOutcomes` records outcomes and answers which model to use."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from pathlib import Path

import msgspec

from loader import outcome, reading, store
from loader.errors import OutcomesError
from loader.outcome import INSERT


class RankedModel(msgspec.Struct, frozen=True, kw_only=True):
    """One model's place at a task type. Rates are shares of `trials`, with the 95 % Wilson
    bounds; costs are US dollars, None where no cost is known."""

    rank: int
    task_type: str
    model_id: str
    trials: int
    successes: int
    failures: int
    success_rate: float
    success_rate_lower: float
    success_rate_upper: float
    total_tokens: int
    total_cost: float
    cost_per_success: float | None
    last_used: str | None


class Demotion(msgspec.Struct, frozen=True):
    """Whether a model should lose its place: true or false by itself, with the reason in words."""

    should_demote: bool
    reason: str

    def __bool__(self) -> bool:
        return self.should_demote


class ABTestCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """A model worth a trial against the incumbent of its task type, with the reason in words."""

    task_type: str
    model_id: str
    incumbent_model_id: str | None
    reason: str


class ModelOutcomes:
    """A log of outcomes. Made with the path of its SQLite file, which is created where it is
    missing; without one, `OUTCOMES_DB` or data/outcomes.db is meant. Closes as a context manager."""

    def __init__(self, path: str | Path | None = None) -> None:
        self.path = store.absolute(path if path is not None else store.default_path())
        self._connection = store.create_or_open(self.path, timeout=store.busy_timeout(store.RECORD_BUSY_TIMEOUT))

    def record(
        self,
        task_type: str,
        model_id: str,
        success: bool,
        *,
        timeout: bool = False,
        tokens_used: int | None = None,
        cost_usd: float | None = None,
        timestamp: datetime | str | None = None,
        event_id: str | None = None,
        task_id: str | None = None,
        experiment_id: str | None = None,
        recorded_by: str | None = None,
        duration_ms: int | None = None,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        error_type: str | None = None,
        cost_source: str | None = None,
    ) -> bool:
        """Append one outcome; True once it is committed.

        `cost_usd` in US dollars, None where it is not known (0 means free); `duration_ms` in
        milliseconds; `timestamp` with an offset, now where it is left out. An `event_id` that
        was recorded before with the same verdict changes nothing.
        Raises InvalidOutcome (a ValueError) that names every fault of the input, BusyError where
        another writer holds the file for too long, OutcomesError where it cannot be written.
        """
        values = {name: value for name, value in locals().items() if name in outcome.FIELDS}
        now = store.utc_now()
        values["timestamp"] = timestamp if timestamp is not None else now
        given = {name: value for name, value in values.items() if value is not None or name == "success"}
        found = outcome.check(outcome.parse_fields(given), outcome.horizon(now))
        with store.plain_faults(self.path):
            try:
                self._connection.execute(INSERT, found.row())
            except sqlite3.IntegrityError as fault:
                raise outcome.InvalidOutcome([str(fault)]) from None
        return True

    def ranked_models(self, task_type: str, min_samples: int = reading.MIN_SAMPLES) -> list[RankedModel]:
        """The models with at least `min_samples` trials at a task type, the best first.

        Raises NotBuiltError before the first `loader build`.
        """
        with store.plain_faults(self.path):
            answer = reading.ranked_models(self._connection, task_type, min_samples)
        return [msgspec.convert(row, RankedModel) for row in answer]

    def should_demote(self, task_type: str, model_id: str) -> Demotion:
        """Whether a model should lose its place at a task type: whether the mart
        `demotion_candidates` has it, and why. Raises NotBuiltError before the first `loader build`."""
        with store.plain_faults(self.path):
            found = [
                row["reason"]
                for row in reading.demotion_candidates(self._connection, task_type)
                if row["model_id"] == model_id
            ]
        return Demotion(bool(found), found[0] if found else "not among the demotion candidates")

    def ab_test_candidates(self, task_type: str) -> list[ABTestCandidate]:
        """The models that a trial could still move to the top of a task type.

        Raises NotBuiltError before the first `loader build`.
        """
        with store.plain_faults(self.path):
            answer = reading.ab_test_candidates(self._connection, task_type)
        return [msgspec.convert(row, ABTestCandidate) for row in answer]

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> ModelOutcomes:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


__all__ = ["ABTestCandidate", "Demotion", "ModelOutcomes", "OutcomesError", "RankedModel"]

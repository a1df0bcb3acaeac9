"""The Python interface: `ModelOutcomes` records outcomes and answers which model to use.

It runs inside other people's programs, so what goes wrong is said on the logger `model_outcomes`, and raised
only where that was asked for.
"""

from __future__ import annotations

import logging
import operator
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import msgspec

from model_outcomes.answers import fallback, queries
from model_outcomes.base import paths
from model_outcomes.base.errors import NotKeptError, OutcomesError
from model_outcomes.log import outcome, spool, store
from model_outcomes.log.outcome import InvalidOutcome
from model_outcomes.log.recorder import Recorder

logger = logging.getLogger("model_outcomes")


class RankedModel(msgspec.Struct, frozen=True, kw_only=True):
    """One model's place at a task type. Rates are shares of `trials`, with the Wilson bounds at the
    level of the build, 95 % unless `alpha` was changed.
    `infrastructure_failures` are attempts that never reached the model: they are no trials, and the rates say
    nothing about them. Costs are US dollars, None where no cost is known. `snapshot_at` is None where the log
    itself answered, else the time of the published snapshot that did in its place."""

    rank: int
    task_type: str
    model_id: str
    trials: int
    successes: int
    failures: int
    success_rate: float
    success_rate_lower: float
    success_rate_upper: float
    infrastructure_failures: int
    total_tokens: int
    total_cost: float | None
    cost_per_success: float | None
    last_used: str | None
    snapshot_at: str | None = None

    @property
    def lost_share(self) -> float:
        """Return the share of all attempts, 0 to 1, that never reached the model."""
        return self.infrastructure_failures / (self.trials + self.infrastructure_failures)


class Demotion(msgspec.Struct, frozen=True):
    """The answer to whether a model should lose its place: true or false by itself, with the reason in words.
    `snapshot_at` as of RankedModel."""

    should_demote: bool
    reason: str
    snapshot_at: str | None = None

    def __bool__(self) -> bool:
        return self.should_demote


class ABTestCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """A model worth a trial against the incumbent of its task type (against the leader, if there is no
    incumbent), with the reason in words.
    `snapshot_at` as of RankedModel."""

    task_type: str
    model_id: str
    incumbent_model_id: str | None
    reason: str
    snapshot_at: str | None = None


Answered = TypeVar("Answered", RankedModel, ABTestCandidate)


class ModelOutcomes:
    """A log of outcomes. Made with the path of its SQLite file, which is created where it is
    missing, in a folder that is there; without one, `OUTCOMES_DB` or data/outcomes.db is meant.
    Closes as a context manager. Threads may share it, and a fork takes it along.

    Nothing is raised but for calls that Python itself refuses: where the file is missing, locked,
    full or broken, outcomes go to a spool that `loader drain` brings in later, and questions are
    answered from the last published snapshot. The logger `loader` says so, once. `strict` raises instead.

    `durability` is what an outcome survives once it is recorded: `normal` a killed process, `full`
    (the default, or what `OUTCOMES_DURABILITY` says) a power failure as well, at the price of waiting for the disk.
    """

    def __init__(self, path: str | Path | None = None, *, strict: bool = False, durability: str | None = None) -> None:
        self.path = paths.absolute(path if path is not None else paths.default_path())
        self.strict = strict
        paths.sha256()
        self._recorder = Recorder(self.path, store.chosen_durability(durability) if durability else None)

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
        """Append one outcome; True once it is on disk, in the log or in a spool.

        `cost_usd` in US dollars, None where it is not known (0 means free); `duration_ms` in
        milliseconds; `timestamp` with an offset, now where it is left out. An `event_id` that
        was recorded before with the same verdict changes nothing.
        False, with every fault on the logger `model_outcomes`, where the input is no outcome, or where
        neither log nor spool could be written; the outcome is then on the logger, as JSON.
        `strict` spools no outcome that is not committed: it raises InvalidOutcome (a ValueError),
        BusyError if another writer holds the file for too long, OutcomesError if it cannot be written.
        """
        try:
            found = outcome.from_values(
                {
                    "task_type": task_type,
                    "model_id": model_id,
                    "success": success,
                    "timeout": timeout,
                    "tokens_used": tokens_used,
                    "cost_usd": cost_usd,
                    "timestamp": timestamp,
                    "event_id": event_id,
                    "task_id": task_id,
                    "experiment_id": experiment_id,
                    "recorded_by": recorded_by,
                    "duration_ms": duration_ms,
                    "input_tokens": input_tokens,
                    "output_tokens": output_tokens,
                    "error_type": error_type,
                    "cost_source": cost_source,
                }
            )
            if self.strict:
                self._recorder.insert(found)
                return True
        except Exception as fault:
            if self.strict:
                raise
            _say_lost(fault)
            return False
        was_in_trouble = self._recorder.trouble is not None
        try:
            spooled = self._recorder.keep(found)
        except (InvalidOutcome, NotKeptError) as fault:
            _say_lost(fault)
            return False
        except Exception as fault:
            _log(logging.ERROR, "not recorded: %s", spool.as_json(found), fault=fault)
            return False
        if (spooled is not None) != was_in_trouble:
            _say_spooled(self._recorder, spooled)
        return True

    def ranked_models(self, task_type: str, min_samples: int | None = None) -> list[RankedModel]:
        """Return the models with at least `min_samples` trials at a task type, the best first. None: the var
        `min_samples` of the last build, 3 unless it was changed.

        In degraded mode those of the last published snapshot, marked by `snapshot_at`; none where
        there is no snapshot either (`strict`: raises OutcomesError in place of both).
        """
        least = None if min_samples is None else operator.index(min_samples)
        found = self._ask(lambda connection: queries.ranked_models(connection, task_type, least))
        return self._converted(found, RankedModel)

    def should_demote(self, task_type: str, model_id: str) -> Demotion:
        """Return whether a model should lose its place at a task type: whether the mart
        `demotion_candidates` has it, and why. Degraded as `ranked_models`; no, where nothing is known."""
        found = self._ask(lambda connection: queries.demotion_candidates(connection, task_type))
        if found is None:
            return Demotion(False, "not known: there is nothing to ask")
        rows, snapshot_at = found
        reasons = [row["reason"] for row in rows if row["model_id"] == model_id]
        return Demotion(bool(reasons), reasons[0] if reasons else "not among the demotion candidates", snapshot_at)

    def ab_test_candidates(self, task_type: str) -> list[ABTestCandidate]:
        """Return the models that a trial could still move to the top of a task type. Degraded as `ranked_models`."""
        found = self._ask(lambda connection: queries.ab_test_candidates(connection, task_type))
        return self._converted(found, ABTestCandidate)

    def _ask(
        self, question: Callable[[sqlite3.Connection], queries.Answer]
    ) -> tuple[queries.Answer, str | None] | None:
        """Return the answer, and the time of the snapshot that gave it in place of the log; None for none."""
        try:
            return self._recorder.ask(question), None
        except Exception as fault:
            if self.strict:
                raise
            reason = fault if isinstance(fault, OutcomesError) else OutcomesError(f"{type(fault).__name__}: {fault}")
        try:
            answer, snapshot_at = fallback.from_snapshot(self.path, question, reason)
        except Exception:
            _log(logging.WARNING, "%s; no published snapshot answers in its place", reason)
            return None
        _log(logging.WARNING, "%s; the snapshot of %s answers in its place", reason, snapshot_at)
        return answer, snapshot_at

    def _converted(self, found: tuple[queries.Answer, str | None] | None, kind: type[Answered]) -> list[Answered]:
        if found is None:
            return []
        rows, snapshot_at = found
        try:
            return [msgspec.convert({**row, "snapshot_at": snapshot_at}, kind) for row in rows]
        except msgspec.ValidationError as fault:  # columns of another version
            if self.strict:
                raise OutcomesError(f"{self.path} does not answer as this version asks: {fault}") from fault
            _log(logging.WARNING, "%s does not answer as this version asks: %s", self.path, fault)
            return []

    def close(self) -> None:
        try:
            self._recorder.close()
        except Exception as fault:
            if self.strict:
                raise
            _say_lost(fault)

    def __enter__(self) -> ModelOutcomes:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _say_spooled(recorder: Recorder, spooled: Path | None) -> None:
    if spooled is None:
        _log(logging.INFO, "%s takes outcomes again; `loader drain` brings in those that were spooled", recorder.path)
    else:
        _log(logging.WARNING, "%s; outcomes wait in %s for `loader drain`", recorder.trouble, spooled)


def _say_lost(fault: Exception) -> None:
    if isinstance(fault, NotKeptError):
        _log(logging.ERROR, "%s: %s", fault, fault.outcome)
    elif isinstance(fault, OutcomesError):
        _log(logging.ERROR, "not recorded: %s", fault)
    else:
        _log(logging.ERROR, "not recorded", fault=fault)


def _log(level: int, message: str, *values: object, fault: Exception | None = None) -> None:
    """Log a message; a handler that fails does not fail the agent."""
    with suppress(Exception):
        logger.log(level, message, *values, exc_info=fault)


__all__ = ["ABTestCandidate", "Demotion", "ModelOutcomes", "OutcomesError", "RankedModel"]

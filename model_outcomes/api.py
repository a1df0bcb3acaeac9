"""The Python interface: `ModelOutcomes` records outcomes and answers which model to use.

It runs inside other people's programs, so it reports faults on the logger `model_outcomes` and raises them only if
the caller asked for that (`strict`).
"""

from __future__ import annotations

import logging
import operator
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from model_outcomes.answers import fallback, period, queries
from model_outcomes.base import paths
from model_outcomes.base.errors import BusyError, NotKeptError, OutcomesError
from model_outcomes.log import corrections, spool, store, validation
from model_outcomes.log.corrections import Correction
from model_outcomes.log.outcome import InvalidOutcome, Outcome
from model_outcomes.log.recorder import Recorder

__all__ = [
    "ABTestCandidate",
    "BusyError",
    "Demotion",
    "InvalidOutcome",
    "ModelOutcomes",
    "NotKeptError",
    "OutcomesError",
    "RankedModel",
]

logger = logging.getLogger("model_outcomes")


class RankedModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model's rank and figures at a task type, as `ModelOutcomes.ranked_models` returns them.

    `rank`: 1 is the best. The order is by `success_rate_lower`, then trials, then cost per success.
    `trials`: attempts that count, successes plus failures, the opening balance of an older tool included.
    `success_rate`: successes / trials, 0 to 1.
    `success_rate_lower`, `success_rate_upper`: the bounds of its Wilson interval, 0 to 1, at the level of the last
    build (95 % by default).
    `infrastructure_failures`: attempts that never reached the model, such as those stopped by a rate limit. They are
    not trials, and count neither for nor against the model.
    `unknown_failures`: failures with an error type that nobody classified. They count against the model; without them
    the rate would be successes / (trials - unknown_failures). None if the figures are from an older version.
    `total_tokens`: tokens of all attempts that recorded them.
    `total_cost`, `cost_per_success`: in US dollars; None if no cost is recorded.
    `last_used`: the time of the last outcome (UTC, such as 2026-01-31 12:00:00.000), or of the opening balance.
    `is_retired`: True if the model had no trial for a long time (90 days by default), as of the last build; it keeps
    its rank, but you would hardly choose it. None if the figures are from an older version.
    `snapshot_at`: None if the log answered. Otherwise the log could not be read, the last published snapshot answered
    instead, and this is the time when it was published (UTC, ISO 8601).
    """

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
    unknown_failures: int | None = None
    is_retired: bool | None = None
    snapshot_at: str | None = None

    @property
    def lost_share(self) -> float:
        """Return the share of all attempts, 0 to 1, that never reached the model."""
        return self.infrastructure_failures / (self.trials + self.infrastructure_failures)


class Demotion(msgspec.Struct, frozen=True):
    """The answer of `ModelOutcomes.should_demote`. It is true or false by itself: `if demotion:` works.

    `should_demote`: True if the evidence says that another model is better, or that this one became worse.
    `reason`: why, in words for people; programs should not parse it.
    `snapshot_at`: as in RankedModel.
    """

    should_demote: bool
    reason: str
    snapshot_at: str | None = None

    def __bool__(self) -> bool:
        return self.should_demote


class ABTestCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """A model worth a trial at a task type, as `ModelOutcomes.ab_test_candidates` returns it.

    `model_id`: the model to try, since it may be better than the incumbent.
    `incumbent_model_id`: the model in use at the task type; None without an incumbent, then the leader is the rival.
    `reason`: why, in words for people; programs should not parse it.
    `snapshot_at`: as in RankedModel.
    """

    task_type: str
    model_id: str
    incumbent_model_id: str | None
    reason: str
    snapshot_at: str | None = None


Answered = TypeVar("Answered", RankedModel, ABTestCandidate)


class ModelOutcomes:
    """Record outcomes of models at tasks, and ask which model to use.

        with ModelOutcomes("outcomes.db") as outcomes:
            outcomes.record("fix_tests", "aurora-large", True, cost_usd=0.0861)
            best = outcomes.ranked_models("fix_tests")[:1]

    `path` is the SQLite file of the log. A missing file is created, but not its folder. Without `path` the variable
    OUTCOMES_DB names the file; without that it is data/outcomes.db. Threads may share an instance, and it keeps
    working after a fork.

    By default no fault of the log stops the caller. If the file is missing, locked, full or damaged, outcomes go to a
    spool file, which `loader drain` or `loader run` loads later, and questions are answered from the last published
    snapshot. The logger `model_outcomes` reports this. With `strict` these faults are raised: BusyError if another
    writer holds the file for too long, otherwise OutcomesError.

    `durability` is what a recorded outcome survives: a killed process (`normal`), or also a power failure (`full`),
    which waits for the disk at each outcome. Without it the variable OUTCOMES_DURABILITY decides, otherwise `full`.
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
        agent: str | None = None,
        effort: str | None = None,
        variant: str | None = None,
        attempt: int | None = None,
        score: float | None = None,
        propensity: float | None = None,
        cached_input_tokens: int | None = None,
        attributes: Mapping[str, Any] | None = None,
    ) -> bool:
        """Record one outcome and return True once it is on disk, in the log or in a spool.

        `success`: whether the result is right, as you checked it.
        `timeout`: whether the time ran out; an attempt that is right may have timed out too.
        `tokens_used`: tokens in all; or `input_tokens` and `output_tokens` by themselves.
        `cost_usd`: US dollars; 0 means free, None means that the cost is not known.
        `timestamp`: a datetime or ISO 8601 text with an offset; now if it is left out.
        `event_id`: idempotency key. An outcome that is recorded twice with the same key counts once.
        `task_id`: the task, so that models are compared on the same tasks.
        `experiment_id`: the A/B experiment that the attempt belongs to.
        `recorded_by`: the program that records.
        `duration_ms`: milliseconds.
        `error_type`: why the attempt failed; error_types.csv says which types are failures of the infrastructure.
        `cost_source`: who reported the cost, `provider` or `local`; `plan` is a flat rate, without a cost per attempt.
        `agent`: the harness that ran the model, with its version.
        `effort`: the reasoning effort: low, medium, high, or a budget.
        `variant`: what else differs on purpose, such as the version of a prompt.
        `attempt`: 1, 2, ... if the task is tried again.
        `score`: a graded result from 0 to 1; `success` stays the verdict.
        `propensity`: the probability with which a policy chose this model.
        `cached_input_tokens`: the part of `input_tokens` that came from a cache.
        `attributes`: further facts by which outcomes can be grouped, as JSON at most 4 kB.

        Return False if the values are not an outcome, or if neither log nor spool can be written; the logger
        `model_outcomes` then gets every fault, in the second case with the outcome as JSON. With `strict` an outcome
        is committed to the log or the fault is raised: InvalidOutcome (a ValueError), BusyError if another writer
        holds the file for too long, or OutcomesError.
        """
        values = {name: value for name, value in locals().items() if name != "self"}
        return self._keep(lambda: validation.from_values(values))

    def correct(
        self, event_id: str, verdict: str | bool, *, reason: str | None = None, corrected_by: str | None = None
    ) -> bool:
        """Change the verdict of a recorded outcome and return True once that is on disk, in the log or in a spool.

        `event_id`: the idempotency key under which the outcome was recorded.
        `verdict`: `success` (or True), `failure` (or False), or `void`: the outcome counts nowhere.
        `reason`: why, in words for people.
        `corrected_by`: the person or program that corrects.

        The log keeps the first verdict, and the latest correction counts, in all figures. A correction to the verdict
        that counts already changes nothing, so a retry is harmless.

        Return False, or raise with `strict`, as `record` does. An event_id that no outcome has is a fault; a correction
        in a spool shows it only when it is drained.
        """
        word = corrections.of_success(verdict) if isinstance(verdict, bool) else verdict
        values = {"verdict": word, "event_id": event_id, "reason": reason, "corrected_by": corrected_by}
        return self._keep(lambda: corrections.from_values(values))

    def _keep(self, validated: Callable[[], Outcome | Correction]) -> bool:
        try:
            new = validated()
            if self.strict:
                self._recorder.insert(new)
                return True
        except Exception as fault:
            if self.strict:
                raise
            _log_lost(fault)
            return False
        was_in_trouble = self._recorder.trouble is not None
        try:
            spool_path = self._recorder.keep(new)
        except (InvalidOutcome, NotKeptError) as fault:
            _log_lost(fault)
            return False
        except Exception as fault:
            _log(logging.ERROR, "not recorded: %s", spool.as_json(new), fault=fault)
            return False
        if (spool_path is not None) != was_in_trouble:
            _log_spooled(self._recorder, spool_path)
        return True

    def ranked_models(
        self, task_type: str, min_samples: int | None = None, *, since: datetime | str | None = None
    ) -> list[RankedModel]:
        """Return the models with at least `min_samples` trials at a task type, the best first. None means the var
        `min_samples` of the last build (3 by default). A new outcome counts at once; the list is empty if there are
        none.

        With `since`, a datetime or ISO 8601 text with an offset, or a day, only outcomes from then on count. Opening
        balances have no time and are left out. Raises InvalidOutcome, a ValueError, if it is no time.

        If the log cannot be read, the last published snapshot answers instead, which `snapshot_at` shows. Without a
        snapshot the list is empty, and also with `since`, because a snapshot has no single outcomes. With `strict`
        these cases raise OutcomesError.
        """
        least = None if min_samples is None else operator.index(min_samples)
        first_moment = None if since is None else period.moment(since)
        answer = self._ask(lambda connection: queries.ranked_models(connection, task_type, least, first_moment))
        if answer is not None:
            for row in answer[0]:
                row["is_retired"] = None if row["is_retired"] is None else bool(row["is_retired"])
        return self._converted(answer, RankedModel)

    def should_demote(self, task_type: str, model_id: str) -> Demotion:
        """Return whether a model should be demoted at a task type, and why, as of the last build: whether the mart
        `demotion_candidates` has it.

        The last published snapshot answers instead of the log as in `ranked_models`; without a snapshot the answer is
        no.
        """
        answer = self._ask(lambda connection: queries.demotion_candidates(connection, task_type))
        if answer is None:
            return Demotion(False, "not known: neither the log nor a published snapshot can be read")
        rows, snapshot_at = answer
        reasons = [row["reason"] for row in rows if row["model_id"] == model_id]
        return Demotion(bool(reasons), reasons[0] if reasons else "not among the demotion candidates", snapshot_at)

    def ab_test_candidates(self, task_type: str) -> list[ABTestCandidate]:
        """Return the models that may be better than the incumbent of a task type, and so are worth a trial, as of the
        last build. The last published snapshot answers instead of the log as in `ranked_models`.
        """
        answer = self._ask(lambda connection: queries.ab_test_candidates(connection, task_type))
        return self._converted(answer, ABTestCandidate)

    def _ask(
        self, question: Callable[[sqlite3.Connection], queries.Answer]
    ) -> tuple[queries.Answer, str | None] | None:
        """Return the log's answer and None, or a snapshot's answer and its time; None if neither can be read."""
        try:
            return self._recorder.ask(question), None
        except Exception as fault:
            if self.strict:
                raise
            reason = fault if isinstance(fault, OutcomesError) else OutcomesError(f"{type(fault).__name__}: {fault}")
        try:
            answer, snapshot_at = fallback.from_snapshot(self.path, question, reason)
        except Exception:
            _log(logging.WARNING, "%s; there is no published snapshot to answer instead", reason)
            return None
        _log(logging.WARNING, "%s; the snapshot of %s answers instead", reason, snapshot_at)
        return answer, snapshot_at

    def _converted(self, answer: tuple[queries.Answer, str | None] | None, kind: type[Answered]) -> list[Answered]:
        if answer is None:
            return []
        rows, snapshot_at = answer
        try:
            return [msgspec.convert({**row, "snapshot_at": snapshot_at}, kind) for row in rows]
        except msgspec.ValidationError as fault:
            message = f"{self.path} was built by another version ({fault}): build it again with `loader build`"
            if self.strict:
                raise OutcomesError(message) from fault
            _log(logging.WARNING, "%s", message)
            return []

    def close(self) -> None:
        """Close the log. Leaving a `with` block does this, too."""
        try:
            self._recorder.close()
        except Exception as fault:
            if self.strict:
                raise
            _log_lost(fault)

    def __enter__(self) -> ModelOutcomes:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _log_spooled(recorder: Recorder, spool_path: Path | None) -> None:
    if spool_path is None:
        _log(logging.INFO, "%s can be written again; `loader drain` loads the spooled outcomes", recorder.path)
    else:
        reason = recorder.trouble or "the outcome of a correction is not in the log yet"
        _log(logging.WARNING, "%s; outcomes wait in %s for `loader drain`", reason, spool_path)


def _log_lost(fault: Exception) -> None:
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

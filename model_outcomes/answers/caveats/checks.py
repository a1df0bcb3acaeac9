"""All checks, in the order of the list: the most serious first."""

from __future__ import annotations

from model_outcomes.answers.caveats import comparisons, failures, records
from model_outcomes.answers.caveats.caveat import Check, Kind

CHECKS: dict[Kind, Check] = {
    Kind.DEGENERATE: comparisons.degenerate,
    Kind.LOST_ATTEMPTS: failures.lost_attempts,
    Kind.OUTAGES: failures.outages,
    Kind.UNKNOWN_ERROR_TYPES: failures.unknown_error_types,
    Kind.TWIN_NAMES: records.twin_names,
    Kind.TRAFFIC_MISMATCH: comparisons.experiments(
        Kind.TRAFFIC_MISMATCH, "has_traffic_mismatch",
        "Traffic split differs from the declared one",
        "Something other than chance decides which model gets which task. Do not trust the verdict.",
        "Fix the assignment of tasks to models, then start a new experiment.",
    ),
    Kind.MIX_SHIFT: comparisons.experiments(
        Kind.MIX_SHIFT, "is_mix_shifted",
        "Different mixes of tasks",
        "The two models got different kinds of tasks. The difference shown is the one within the task types.",
        None,
    ),
    Kind.CONFOUNDED_LEADER: comparisons.confounded_leader,
    Kind.TWO_LEADERS: comparisons.two_leaders,
    Kind.REJECTED_LINES: records.rejected_lines,
    Kind.UNREADABLE_FILES: records.unreadable_files,
    Kind.MANY_MODELS: comparisons.many_models,
    Kind.MISSING_TIMEOUTS: failures.missing_timeouts,
    Kind.UNRECORDED_NAMES: records.unrecorded_names,
    Kind.UNPRICED: records.unpriced,
    Kind.OPENING_BALANCES: records.opening_balances,
    Kind.STALE_TASK_TYPES: comparisons.stale_task_types,
    Kind.FEW_TRIALS: comparisons.few_trials,
}  # fmt: skip
OF_THE_LOG = (Kind.REJECTED_LINES, Kind.UNREADABLE_FILES, Kind.UNRECORDED_NAMES)

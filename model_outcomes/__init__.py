"""The warehouse of model outcomes: record what models did, ask which one to use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model_outcomes.api import ABTestCandidate, Demotion, ModelOutcomes, RankedModel
    from model_outcomes.base.errors import BusyError, NotKeptError, OutcomesError
    from model_outcomes.log.outcome import InvalidOutcome

_HOMES = {
    "ModelOutcomes": "model_outcomes.api",
    "RankedModel": "model_outcomes.api",
    "ABTestCandidate": "model_outcomes.api",
    "Demotion": "model_outcomes.api",
    "OutcomesError": "model_outcomes.base.errors",
    "BusyError": "model_outcomes.base.errors",
    "NotKeptError": "model_outcomes.base.errors",
    "InvalidOutcome": "model_outcomes.log.outcome",
}

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


def __getattr__(name: str) -> Any:
    """Import a public name at its first use, since the command line starts faster without them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)

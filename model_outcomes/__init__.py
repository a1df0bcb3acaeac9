"""Record what LLMs did at tasks, and ask which one to use: `from model_outcomes import ModelOutcomes`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from model_outcomes.api import (
        ABTestCandidate,
        BusyError,
        Demotion,
        InvalidOutcome,
        ModelOutcomes,
        NotKeptError,
        OutcomesError,
        RankedModel,
    )

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
    """Import a public name at its first use: the command line starts faster without them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from model_outcomes import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return __all__

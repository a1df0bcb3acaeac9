"""The warehouse of model outcomes: record what models did, ask which one to use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from loader.api import ModelOutcomes

__all__ = ["ModelOutcomes"]


def __getattr__(name: str) -> Any:
    """Imported when it is asked for: the command line starts without it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from loader import api

    return getattr(api, name)

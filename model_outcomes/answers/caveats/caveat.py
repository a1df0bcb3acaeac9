"""What a caveat is: its kind, its words, and the places where it holds. Code branches on the kind, never on a text."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Any

import msgspec

SHOWN = 8  # places that a caveat names; it counts the others


class Kind(str, Enum):
    """The kinds of caveats, the gravest first."""

    STALE = "stale"
    DEGENERATE = "degenerate"
    LOST_ATTEMPTS = "lost_attempts"
    OUTAGES = "outages"
    UNKNOWN_ERROR_TYPES = "unknown_error_types"
    TWIN_NAMES = "twin_names"
    TRAFFIC_MISMATCH = "traffic_mismatch"
    MIX_SHIFT = "mix_shift"
    REJECTED_LINES = "rejected_lines"
    UNREADABLE_FILES = "unreadable_files"
    MANY_MODELS = "many_models"
    MISSING_TIMEOUTS = "missing_timeouts"
    UNRECORDED_NAMES = "unrecorded_names"
    UNPRICED = "unpriced"
    OPENING_BALANCES = "opening_balances"
    STALE_TASK_TYPES = "stale_task_types"
    FEW_TRIALS = "few_trials"
    NOT_CHECKED = "not_checked"


class Place(msgspec.Struct, frozen=True):
    """One place where a caveat holds, in words and figures; task type and model are None if it is about several."""

    text: str
    task_type: str | None = None
    model_id: str | None = None
    figures: dict[str, Any] = {}


class Caveat(msgspec.Struct, frozen=True):
    """`places` has the first SHOWN of `place_count` places. `next_step` is None if there is nothing to do but to
    know it. Texts are ready to be shown; `figures` are about all places together."""

    kind: Kind
    title: str
    consequence: str
    next_step: str | None = None
    places: Sequence[Place] = ()
    place_count: int = 0
    figures: dict[str, Any] = {}

    def place_texts(self) -> list[str]:
        """Return the places in words, with a last line that counts those left out."""
        more = self.place_count - len(self.places)
        return [place.text for place in self.places] + ([f"and {more:,} more"] if more > 0 else [])

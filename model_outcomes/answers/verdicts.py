"""The verdicts of ab_comparisons that name a better arm. models/docs/comparisons.md describes all verdicts."""

from __future__ import annotations

from typing import Literal

Arm = Literal["incumbent", "challenger"]

# Today's figures support the verdict.
BETTER_ARMS: dict[str, Arm] = {"challenger_better": "challenger", "incumbent_better": "incumbent"}
# An earlier day had the verdict, and today's figures no longer support it.
FORMER_BETTER_ARMS: dict[str, Arm] = {"was_challenger_better": "challenger", "was_incumbent_better": "incumbent"}

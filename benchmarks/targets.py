"""Cells of a table that are held to a target."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass
class Target:
    """A largest or smallest value that is wanted, and the cells that missed it."""

    wanted: str
    largest: float = float("inf")
    smallest: float = float("-inf")
    missed: list[str] = field(default_factory=list)

    def cell(self, name: str, value: float, text: str) -> str:
        """Return the text of a cell, marked if its value misses the target."""
        if self.smallest <= value <= self.largest:
            return text
        self.missed.append(f"{name} ({text})")
        return f"**{text} missed**"

    def percent(self, name: str, share: float) -> str:
        return self.cell(name, share, f"{share:.1%}")

    def report(self) -> None:
        """Print the target and what missed it."""
        print(f"\nTarget: {self.wanted}. Missed: {'; '.join(self.missed) or 'nothing'}.\n")

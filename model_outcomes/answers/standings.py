"""Words, colours and shapes for a model's `standing` in `model_rankings`, shared by report and explorer.

The colours are those of Okabe and Ito, or close to them, which colour-blind readers can tell apart. Each standing also
has a shape of its own.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Standing:
    """The words, the colours on a light and on a dark background, and Vega's name of the shape."""

    words: str
    light: str
    dark: str
    shape: str


STANDINGS = {
    "best": Standing("surely best", "#0072b2", "#56b4e9", "diamond"),
    "may_be_best": Standing("may be the best", "#3a9bd9", "#9bd4f5", "circle"),
    "behind": Standing("surely behind", "#c1501a", "#e69f00", "triangle-down"),
    "untried": Standing("too few trials", "#6e7781", "#9198a1", "cross"),
    "retired": Standing("retired", "#8f5a86", "#cc79a7", "square"),
}
WORDS = [standing.words for standing in STANDINGS.values()]
SHAPES = [standing.shape for standing in STANDINGS.values()]
LIGHT = [standing.light for standing in STANDINGS.values()]


def words_of(column: str) -> str:
    """Return an SQL expression that turns a column with a standing into words."""
    cases = " ".join(f"when '{key}' then '{standing.words}'" for key, standing in STANDINGS.items())
    return f"case {column} {cases} end"


def variables() -> str:
    """Return CSS that defines a colour for each standing, `--best` and so on, on screen and on paper."""
    light = "".join(f"--{key}: {standing.light}; " for key, standing in STANDINGS.items())
    dark = "".join(f"--{key}: {standing.dark}; " for key, standing in STANDINGS.items())
    return (
        f":root {{ {light}}}\n"
        f"@media (prefers-color-scheme: dark) {{ :root {{ {dark}}} }}\n"
        f"@media print {{ :root {{ {light}}} }}\n"
    )

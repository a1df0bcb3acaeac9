"""The report: one HTML file that says what to do and shows why, and needs nothing but a browser.

`gathering` reads the marts; `advice` and `loader.caveats` put into words what follows from them; `charts` says how
the rest is drawn, and `rendering` makes the page of it all.
"""

from __future__ import annotations

from pathlib import Path

from loader import outputs
from loader.report.gathering import Contents, gather
from loader.report.rendering import PAGE, expect_possible, is_possible, render

__all__ = ["Contents", "check", "expect_possible", "gather", "is_possible", "render", "save"]


def check(path: Path, database: Path) -> Path:
    """Return the file to write if a report is to go to `path`. Raises OutcomesError as `outputs.check`."""
    return outputs.check(path, database, "report", lambda file: outputs.is_page(file, PAGE))


def save(page: str, path: Path) -> None:
    """Write a page to `path`, whole or not at all; its folder must exist. Raises OutcomesError."""
    with outputs.replacing(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")

"""The report: one HTML file that says what to do and shows why. It needs only a browser.

`content` reads the marts, `advice` and `notes` put them into words, `charts` draws them, and `page` writes all of it
into one file.
"""

from __future__ import annotations

from pathlib import Path

from model_outcomes.base import outputs
from model_outcomes.publish.report.content import Contents, gather
from model_outcomes.publish.report.page import PAGE, expect_possible, render

__all__ = ["Contents", "check", "expect_possible", "gather", "render", "save"]


def check(path: Path, database: Path) -> Path:
    """Return the file to write for a report at `path`. Raises OutcomesError if it must not be written there."""
    return outputs.check(path, database, "report", lambda file: outputs.is_page(file, PAGE))


def save(page: str, path: Path) -> None:
    """Write a page to `path` as a whole or not at all; its folder must exist. Raises OutcomesError if that fails."""
    with outputs.replacing(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")

"""The report: one HTML file that says what to do and shows why, and needs nothing but a browser.

`content` reads the marts, `advice` says in words what follows from them, `charts` draws them, and `page` puts all
of it into one file.
"""

from __future__ import annotations

from pathlib import Path

from model_outcomes.base import outputs
from model_outcomes.publish.report.content import Contents, gather
from model_outcomes.publish.report.page import PAGE, expect_possible, is_possible, render

__all__ = ["Contents", "check", "expect_possible", "gather", "is_possible", "render", "save"]


def check(path: Path, database: Path) -> Path:
    """Return the file to write if a report is to go to `path`. Raises OutcomesError as `outputs.check`."""
    return outputs.check(path, database, "report", lambda file: outputs.is_page(file, PAGE))


def save(page: str, path: Path) -> None:
    """Write a page to `path`, whole or not at all; its folder must exist. Raises OutcomesError."""
    with outputs.replacing(path) as unfinished:
        unfinished.write_text(page, encoding="utf-8")

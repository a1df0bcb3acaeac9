"""The report: one HTML file that says what to do and shows why, and needs nothing but a browser.

`gathering` reads the marts; `advice` and `loader.caveats` put into words what follows from them; `charts` says how
the rest is drawn, and `rendering` makes the page of it all.
"""

from __future__ import annotations

import os
from pathlib import Path

from loader.errors import OutcomesError
from loader.report.gathering import Contents, gather
from loader.report.rendering import expect_possible, is_possible, render

__all__ = ["Contents", "expect_possible", "gather", "is_possible", "render", "save"]


def save(page: str, path: Path) -> None:
    """Write a page through a temporary name beside `path`; the folder must be there.

    Raises OutcomesError where that cannot be done.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_text(page, encoding="utf-8")
        temporary.replace(path)
    except OSError as fault:
        temporary.unlink(missing_ok=True)
        raise OutcomesError(f"cannot write {path}: {fault.strerror}") from None

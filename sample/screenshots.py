"""`python -m sample.screenshots`: the pictures of the book, taken of the sample with Chromium.

The sample ends on a day of its own here, in a temporary folder, so that the same program gives the same
pictures on any day.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime, timezone
from pathlib import Path
from typing import Any, Literal, NamedTuple

import click
from playwright.sync_api import Browser, Page, ViewportSize

from loader.cli import main as loader
from model_outcomes.log import store
from model_outcomes.publish import report
from sample import browser, files
from sample.__main__ import WORKSPACE

IMAGES = Path(__file__).resolve().parent.parent / "docs" / "images"
LAST_DAY = date(2025, 12, 31)
WRITTEN_AT = datetime(2026, 1, 1, 6, tzinfo=timezone.utc)
DESKTOP: ViewportSize = {"width": 1120, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}


class Shot(NamedTuple):
    """A picture: how large the window is and what it shows, by a function that brings it there and says what
    of the page to take, everything in the window where that is None."""

    viewport: ViewportSize
    scheme: Literal["dark", "light"]
    show: Callable[[Page], Any]


def _what_to_do(page: Page) -> None:
    page.evaluate("scrollTo(0, 0)")


def _figures(page: Page) -> None:
    page.locator("#task-type").select_option(label="review_code")
    page.wait_for_selector("html[data-drawn=yes]", state="attached")
    page.evaluate("document.getElementById('figures').scrollIntoView()")


SHOTS = {
    "report.png": Shot(DESKTOP, "light", _what_to_do),
    "report-figures.png": Shot(DESKTOP, "dark", _figures),
    "report-phone.png": Shot(PHONE, "light", _figures),
}


def main() -> int:
    """Returns the exit code."""
    try:
        with browser.chromium() as chromium, tempfile.TemporaryDirectory() as folder:
            page = write_report(Path(folder))
            IMAGES.mkdir(exist_ok=True)
            for name, shot in SHOTS.items():
                (IMAGES / name).write_bytes(take(chromium, page, shot))
                click.echo(f"wrote {IMAGES / name}")
    except FileNotFoundError as fault:
        click.echo(str(fault), err=True)
        return 2
    return 0


def write_report(folder: Path) -> Path:
    """Make the sample's log and build it, and write its report."""
    os.environ["OUTCOMES_WORKSPACE"] = str(WORKSPACE)
    database, page = folder / "sample.db", folder / "report.html"
    files.write(folder / "sample", LAST_DAY)
    outcomes = [str(folder / "sample" / name) for name in (files.AGENTS, files.EVALUATION)]
    for command in (
        ["load", *outcomes, "--max-rejects", str(len(files.BAD_LINES))],
        ["import-legacy", str(folder / "sample" / files.LEGACY)],
        ["build", "--quiet"],
    ):
        loader.main(["--db", str(database), *command], prog_name="loader", standalone_mode=False)
    with closing(store.open_existing(database)) as connection:
        report.save(report.render(report.gather(connection), WRITTEN_AT), page)
    return page


def take(chromium: Browser, page: Path, shot: Shot) -> bytes:
    """A picture as PNG."""
    context = chromium.new_context(
        offline=True, viewport=shot.viewport, color_scheme=shot.scheme, timezone_id="UTC", locale="en-US",
        reduced_motion="reduce",
    )  # fmt: skip
    try:
        shown = context.new_page()
        shown.goto(page.as_uri())
        shown.wait_for_selector("html[data-drawn=yes]", state="attached")
        shot.show(shown)
        return shown.screenshot(animations="disabled", caret="hide")
    finally:
        context.close()


if __name__ == "__main__":
    sys.exit(main())

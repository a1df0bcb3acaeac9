"""Chromium as Debian has it, driven by Playwright: for the pictures of the book, and for tests of pages."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

# A root user's container has no sandbox to offer, and nothing here may ask the network for anything.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--font-render-hinting=none",
)
MISSING = "there is no chromium; on Debian: apt-get install chromium"


def is_here() -> bool:
    return shutil.which("chromium") is not None


@contextmanager
def chromium() -> Iterator[Browser]:
    """A headless Chromium of its own. Raises FileNotFoundError where there is none."""
    path = shutil.which("chromium")
    if path is None:
        raise FileNotFoundError(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=[*ARGUMENTS])
        try:
            yield browser
        finally:
            browser.close()

"""The pictures of the book are those that the project's script takes, the same ones each time."""

import re
from pathlib import Path

from sample import screenshots

from .conftest import PROJECT, Log


def test_the_same_report_gives_the_same_pictures(sample: Log, browser) -> None:
    for name, shot in screenshots.SHOTS.items():
        first, second = (screenshots.take(browser, sample.page, shot) for _ in range(2))
        assert first == second, name
        assert first.startswith(b"\x89PNG")


def test_every_picture_of_the_book_is_taken_by_the_script_and_shown_somewhere() -> None:
    pages = [PROJECT / "README.md", *PROJECT.glob("docs/**/*.md")]
    shown = {Path(path).name for page in pages for path in re.findall(r"!\[[^]]+\]\(([^)]+)\)", page.read_text())}
    assert shown == set(screenshots.SHOTS)
    assert {path.name for path in screenshots.IMAGES.iterdir()} == shown

"""What the README and the pages of docs/ say works as they say: commands, queries and snippets, outputs and links."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
BOOK = ["README.md", *(f"docs/{page.name}" for page in sorted(ROOT.glob("docs/*.md")))]
PAGES = [*BOOK, "DECISIONS.md", "CHANGELOG.md"]


def same_every_day(output):
    """An output without what changes from day to day, or with every test that is added."""
    output = re.sub(r"\d{4}-\d\d-\d\d", "<day>", output)
    return re.sub(r"\d+ dbt models, seeds and tests", "<n> dbt models, seeds and tests", output).rstrip()


def test_it_works_as_it_stands(book, block):
    found = book[block]
    if isinstance(found, AssertionError):
        raise found
    if block.shown is not None:
        assert same_every_day(found) == same_every_day(block.shown)


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text()
    headings = re.findall("^#+ (.+)", text, re.M)
    anchors = {re.sub("[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("#"):
            assert target[1:] in anchors
        elif "://" not in target:
            assert ((ROOT / page).parent / target.partition("#")[0]).exists(), target


def test_the_contents_list_every_section_in_order():
    text = (ROOT / "README.md").read_text()
    assert re.findall(r"^- \[(.+)\]\(#", text, re.M) == re.findall("^## (.+)", text, re.M)


def test_every_command_of_the_loader_is_in_the_book():
    said = subprocess.run([sys.executable, "-c", "from loader.cli import main; main()", "--help"],
                          capture_output=True, text=True, check=True).stdout  # fmt: skip
    commands = re.findall(r"^  ([a-z-]+) {2,}", said.partition("Commands:")[2], re.M)
    assert len(commands) > 5
    said = "".join((ROOT / page).read_text() for page in BOOK)
    assert [name for name in commands if f"loader {name}" not in said] == []


def test_the_readme_leads_to_every_page():
    assert [page for page in BOOK[1:] if f"]({page})" not in (ROOT / "README.md").read_text()] == []


def test_every_column_of_the_log_is_on_its_page():
    schema = (ROOT / "model_outcomes" / "log" / "schema.sql").read_text()
    columns = re.findall(r"^    ([a-z_]+) (?:integer|real|text)", schema.partition(") strict;")[0], re.M)
    page = (ROOT / "README.md").read_text().partition("## The log's schema")[2]
    described = re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| (`.+?) \|", page, re.M)))
    assert described == columns

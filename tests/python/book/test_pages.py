"""The README and the pages of docs/ are right: their commands, queries and snippets, outputs, links and lists."""

import re
from pathlib import Path

import pytest
import yaml

from loader.cli import COMMANDS

ROOT = Path(__file__).resolve().parents[3]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = [README, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md", *sorted(DOCS.glob("**/*.md"))]
LINK = re.compile(r"\]\(([^)\s]+)\)")


def same_every_day(output):
    """Return an output without what changes from day to day, or with every test that is added."""
    output = re.sub(r"\d{4}-\d\d-\d\d", "<day>", output)
    return re.sub(r"\d+ dbt models, seeds and tests", "<n> dbt models, seeds and tests", output).rstrip()


def without_code(page: Path) -> str:
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)", without_code(page), re.M)
    return {re.sub("[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_a_block_works_and_prints_what_the_page_prints(book, block):
    output = book[block]
    if isinstance(output, AssertionError):
        raise output
    if block.printed is not None:
        assert same_every_day(output) == same_every_day(block.printed)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_to_a_file_and_a_heading(page):
    for target in LINK.findall(without_code(page)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.exists(), target
        assert not anchor or anchor in anchors(file), target


def test_the_index_leads_to_every_page_and_the_readme_to_the_index():
    index = without_code(DOCS / "README.md")
    pages = [page.relative_to(DOCS).as_posix() for page in DOCS.glob("**/*.md") if page.parent != DOCS / "decisions"]
    assert len(pages) > 20
    assert [page for page in pages if page != "README.md" and f"]({page})" not in index] == []
    assert "](docs/README.md)" in README.read_text()


def test_the_list_of_decisions_has_every_record_with_its_title_and_date():
    index = (DOCS / "decisions" / "README.md").read_text()
    records = sorted((DOCS / "decisions").glob("0*.md"))
    rows = []
    for page in records:
        number, title = re.match(r"# (\d+)\. (.+)", page.read_text()).groups()
        (date,) = re.findall(r"^Status: .*?(\d{4}-\d\d-\d\d)$", page.read_text(), re.M)
        assert page.name.startswith(f"{int(number):04}-")
        rows.append(f"| [{number}]({page.name}) | {title} | {date} |")
    assert len(rows) >= 20
    assert re.findall(r"^\| \[.+", index, re.M) == rows


def test_the_readme_fits_in_150_lines():
    assert len(README.read_text().splitlines()) <= 150


def test_every_command_of_the_loader_is_in_a_page():
    text = "".join(page.read_text() for page in PAGES if page.name != "cli.md")
    assert [name for name in COMMANDS if f"loader {name}" not in text] == []


def test_every_column_of_the_log_is_on_its_page():
    schema = (ROOT / "model_outcomes" / "log" / "schema.sql").read_text()
    columns = re.findall(r"^    ([a-z_]+) (?:integer|real|text)", schema.partition(") strict;")[0], re.M)
    page = (DOCS / "reference" / "schema.md").read_text().partition("## Beside the log")[0]
    described = re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| (`.+?) \|", page, re.M)))
    assert described == columns


def described_marts() -> dict[str, list[str]]:
    """Return the columns of each mart, as the YAML of the dbt project lists them."""
    files = [yaml.safe_load(path.read_text()) for path in ROOT.glob("models/marts/**/*.yml")]
    return {
        model["name"]: [column["name"] for column in model["columns"]]
        for file in files
        for model in file.get("models", [])
    }


def test_every_mart_is_on_its_page():
    page = (DOCS / "reference" / "marts.md").read_text()
    assert sorted(re.findall(r"^\| \[([a-z_]+)\]", page, re.M)) == sorted(described_marts())


def test_every_column_of_the_rankings_leads_to_its_formula_its_sql_and_its_test():
    page = (DOCS / "reference" / "marts.md").read_text().partition("## model_rankings")[2]
    rows = [row.split(" | ") for row in re.findall(r"^\| (`.+?) \|$", page, re.M)]
    columns = [column for row in rows for column in re.findall(r"`([a-z_]+)`", row[0])]
    assert sorted(columns) == sorted(described_marts()["model_rankings"])
    for _, _, formula, sql, test in rows:
        assert re.search(r"\]\(statistics\.md#", formula)
        assert re.search(r"\]\(\.\./\.\./(?:models|macros)/.+\.sql\)", sql)
        name, path = re.match(r"\[(\w+)\]\((.+?)\)", test).groups()
        assert path.endswith(f"/{name}.py") or f"- name: {name}\n" in (DOCS / "reference" / path).read_text(), test


def test_every_setting_is_on_its_page():
    from model_outcomes.base.settings import Settings

    page = (DOCS / "reference" / "settings.md").read_text().partition("## Keys")[2].partition("\n## ")[0]
    keys = re.findall(r"`([a-z_]+)`", "".join(re.findall(r"^\| (`.+?) \|", page, re.M)))
    assert [field for field in Settings.__struct_fields__ if field not in keys] == []

"""`loader --help` lists every command in a section, and docs/reference/cli.md prints the help of every command.

`BOOK=write pytest tests/python/book/test_cli_reference.py` writes the page.
"""

import os
import re
from collections.abc import Iterator

import click
import pytest

from loader.cli import SECTIONS, main

from .conftest import CLI_REFERENCE

WIDTH = 78  # what click leaves of a terminal of 80 columns
INTRODUCTION = """# Commands

This page prints `loader --help` and the help of each command. A test writes it and compares it.
[Settings](settings.md) lists the variables and the keys of `outcomes.toml`.
[Exit codes](exit-codes.md) lists the codes.
"""


def commands(
    command: click.Command, name: str = "loader", parent: click.Context | None = None
) -> Iterator[tuple[str, str]]:
    """Yield the name and the help of a command and of the commands in it."""
    with click.Context(command, parent=parent, info_name=name.split()[-1], terminal_width=WIDTH,
                       help_option_names=["-h", "--help"]) as context:  # fmt: skip
        yield name, command.get_help(context)
        if isinstance(command, click.Group):
            for each in command.list_commands(context):
                if part := command.get_command(context, each):
                    yield from commands(part, f"{name} {each}", context)


def as_page() -> str:
    helps = dict(commands(main))
    parts = [INTRODUCTION, f"```text\n{helps.pop('loader')}\n```\n"]
    first_of_section = {f"loader {next(iter(names))}": section for section, names in SECTIONS.items()}
    for name, text in helps.items():
        if name in first_of_section:
            parts.append(f"## {first_of_section[name]}\n")
        parts.append(f"### {name}\n\n```text\n{text}\n```\n")
    return "\n".join(parts)


def test_the_page_prints_the_help_of_every_command() -> None:
    if os.environ.get("BOOK") == "write":
        CLI_REFERENCE.write_text(as_page())
    assert CLI_REFERENCE.read_text() == as_page()


def test_the_help_has_its_sections_in_order() -> None:
    text = dict(commands(main))["loader"]
    assert re.findall(r"^(\w+):$", text, re.M) == [
        "Options", "Record", "Load", "Build", "Ask", "Publish", "Share", "Maintain",
    ]  # fmt: skip


@pytest.mark.parametrize("name", [name for names in SECTIONS.values() for name in names])
def test_the_first_sentence_of_a_help_is_whole_on_one_line(name: str) -> None:
    helps = dict(commands(main))
    (line,) = re.findall(rf"^  {name} {{2,}}(.+)", helps["loader"], re.M)
    paragraph = " ".join(helps[f"loader {name}"].split("\n\n")[1].split())
    assert paragraph.startswith(line)
    assert not line.endswith("...")
    assert len(f"  {line}") <= WIDTH

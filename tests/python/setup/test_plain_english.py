"""Plain English: words that a reader has to read twice occur nowhere in the product, area by area."""

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
AREAS = {
    "loader": ["loader/**/*.py"],
    "model_outcomes": ["model_outcomes/**/*.py", "model_outcomes/**/*.sql", "model_outcomes/**/*.html"],
    "docs": ["docs/**/*.md"],
    "readme": ["README.md"],
    "models": ["models/**/*.yml", "models/**/*.sql", "models/**/*.md", "dbt_project.yml", "profiles.yml"],
    "macros": ["macros/**/*.sql", "analyses/*.sql", "tests/*/*.sql"],
    "seeds": ["seeds/*.yml"],
}
# `is None` is Python.
WORDS = re.compile(r"\b((?i:stands|standing|whoever|whatever|wherever|whichever)|(?:is|are) none)\b")
QUESTION = re.compile(r"\s*(What|Whether|Of|How|Which|By)\b")
VARIABLES = {"found", "said", "told", "came"}
# The right uses. In text, a name of code (`standing`, a column of model_rankings) is in backticks and not read at all.
ALLOWED = {("model_outcomes", "standing"): "the column `standing` of model_rankings, in SQL and as a key"}


def without_code(text: str) -> str:
    """Return Markdown text without its code: fenced blocks, Jinja tags and what is in backticks."""
    text = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"`[^`]*`|{%.*?%}|{{.*?}}", "", text)


def descriptions(node: Any) -> Iterator[str]:
    """Yield the values of every key `description` in a parsed YAML file; references to doc blocks are left out."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "description" and isinstance(value, str):
                yield re.sub(r"{{.*?}}", "", value)
            else:
                yield from descriptions(value)
    elif isinstance(node, list):
        for item in node:
            yield from descriptions(item)


def in_python(source: str) -> Iterator[str]:
    """Yield the faults of a Python file: in comments, docstrings and other texts, and in names of variables."""
    tree = ast.parse(source)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield from in_text(token.string)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from in_text(node.value)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id in VARIABLES:
            yield f"variable {node.id}"
        elif isinstance(node, ast.arg) and node.arg in VARIABLES:
            yield f"argument {node.arg}"
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield from in_first_word(ast.get_docstring(node) or "")


def in_text(text: str) -> Iterator[str]:
    """Yield the words of the list that a text has, outside its code."""
    for match in WORDS.finditer(without_code(text)):
        yield match[0].lower()


def in_first_word(text: str) -> Iterator[str]:
    """Yield the first word of a docstring or description that begins like a question."""
    if match := QUESTION.match(text):
        yield f"begins with {match[1]}: {text.split(chr(10))[0]}"


def faults(name: str, text: str) -> Iterator[str]:
    """Yield the faults of a file, by its kind: in SQL only comments are read, in YAML comments and descriptions."""
    if name.endswith(".py"):
        yield from in_python(text)
    elif name.endswith(".sql"):
        for comment in re.findall(r"--[^\n]*|{#.*?#}|/\*.*?\*/", text, flags=re.DOTALL):
            yield from in_text(comment)
    elif name.endswith(".yml"):
        for comment in re.findall(r"(?:^|\s)#\s.*", text):
            yield from in_text(comment)
        for description in descriptions(yaml.safe_load(text)):
            yield from in_text(description)
            yield from in_first_word(description)
    elif name.endswith(".html"):
        text = re.sub(r"<(script|style)\b.*?</\1>", "", text, flags=re.DOTALL)
        yield from in_text(re.sub(r"<[^>]*>|{[{%].*?[}%]}", "", text))
    else:
        yield from in_text(text)
        for block in re.findall(r"{% docs \w+ %}(.*?){% enddocs %}", text, flags=re.DOTALL):
            yield from in_first_word(block.strip())


def of_area(area: str, patterns: Iterable[str]) -> list[str]:
    return [
        f"{path.relative_to(ROOT)}: {fault}"
        for pattern in patterns
        for path in sorted(ROOT.glob(pattern))
        for fault in faults(path.name, path.read_text())
        if (area, fault) not in ALLOWED
    ]


@pytest.mark.parametrize("area", AREAS)
def test_no_word_has_to_be_read_twice(area: str) -> None:
    assert of_area(area, AREAS[area]) == []
    assert any(ROOT.glob(AREAS[area][0])), "nothing was read"


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("a.py", '"""Whether it is."""\n', ["begins with Whether: Whether it is."]),
        ("a.py", "# The row that stands.\nx = 'standing'  # `standing`\n", ["stands", "standing"]),
        ("a.py", "for found in f'{1} whoever':\n    pass\n", ["variable found", "whoever"]),
        ("a.py", "# Skipped if it is None.\n", []),
        ("a.py", "def run(said, x=None): ...\n", ["argument said"]),
        ("a.sql", "select standing -- whatever\nfrom x where y = 'whoever'\n", ["whatever"]),
        ("a.sql", "{# Wherever\n   it is none #}\nselect standing\n", ["wherever", "is none"]),
        ("a.yml", "- name: standing # whichever\n  description: How it stands.\n",
         ["whichever", "stands", "begins with How: How it stands."]),
        ("a.yml", "description: A `standing` {{ doc('standing') }} of understanding.\n", []),
        ("a.md", "{% docs standing %}\nOf a row: there are none.\n{% enddocs %}\n",
         ["are none", "begins with Of: Of a row: there are none."]),
        ("a.md", "```sh\nwhatever\n```\nIt `stands`.\n", []),
        ("a.html", "<p class='stands'>It stands.</p><script>standing</script>{{ standing }}", ["stands"]),
    ],
)  # fmt: skip
def test_a_fault_is_noticed(name: str, text: str, expected: list[str]) -> None:
    assert sorted(faults(name, text)) == sorted(expected)

"""Each formula is one macro in a file of its own, with a comment above it that holds, and something uses it."""

import re

import pytest

from .conftest import EXAMPLES, FORMULAS, ROOT

USERS = [*ROOT.glob("models/**/*.sql"), *ROOT.glob("macros/**/*.sql")]


@pytest.mark.parametrize("path", FORMULAS, ids=lambda path: path.stem)
def test_the_comment_above_a_macro_has_its_formula_and_all_arguments(path):
    comment, macro, arguments = re.fullmatch(
        r"({#-\n.*?\n-#})\n{% macro (\w+)\((.*?)\) -%}\n.*{%- endmacro %}\n", path.read_text(), re.DOTALL
    ).groups()
    assert macro == path.stem
    assert re.search(r"\n    Formula: \S", comment)
    names = [argument.split("=")[0] for argument in re.split(r",\s*", arguments) if argument]
    explained = {name for name in names if re.search(rf"\n    (?:{name} |Formula: .*\b{name}\b)", comment)}
    assert explained == set(names)


def test_each_macro_is_used():
    calls = {
        path: set(re.findall(r"\b(\w+)\(", re.sub(r"{#.*?#}", "", path.read_text(), flags=re.DOTALL))) for path in USERS
    }
    unused = [path for path in FORMULAS if not any(path.stem in calls[user] for user in USERS if user != path)]
    assert unused == []


@pytest.mark.parametrize("path", FORMULAS, ids=lambda path: path.stem)
def test_the_example_in_the_comment_is_right(evaluate, path):
    """The figures in the comments were computed with scipy and statsmodels, or by hand."""
    call, figure = EXAMPLES[path.stem]
    assert call.startswith(f"{path.stem}(")
    (value,) = evaluate("examples", one=[1])[path.stem]
    assert value == (figure if isinstance(value, str) else pytest.approx(float(figure), rel=1e-12))

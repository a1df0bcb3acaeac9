"""`loader build` takes the nodes to build as dbt does: several values to an option, options that are repeated."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from dbt.cli.main import build as dbt_build

from loader.cli import main
from model_outcomes.base.errors import BuildError
from model_outcomes.warehouse import builds


def nodes(arguments: list[str]) -> dict[str, set[str]]:
    """Return the nodes that dbt reads in the arguments of `dbt build`."""
    params = dbt_build.make_context("build", list(arguments), resilient_parsing=True).params
    return {option: set(params[option] or ()) for option in ("select", "exclude")}


@pytest.mark.parametrize(
    ("options", "select", "exclude"),
    [
        ("-s a b", {"a", "b"}, set()),
        ("--select a --select b,c+", {"a", "b,c+"}, set()),
        ("--select 'a +b' -s tag:c", {"a", "+b", "tag:c"}, set()),
        ("--select=a b --exclude c d -s @e", {"a", "b", "@e"}, {"c", "d"}),
        ("--exclude 'a b' --exclude c", set(), {"a", "b", "c"}),
    ],
)
def test_dbt_gets_the_nodes_that_it_would_read_itself(
    options: str, select: set[str], exclude: set[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands: list[list[str]] = []

    def run_dbt(_: Path, given: list[list[str]], *__: Any, **___: Any) -> None:
        commands.extend(given)
        raise BuildError("far enough")

    monkeypatch.setattr(builds, "run_dbt", run_dbt)
    words = shlex.split(options)
    result = CliRunner().invoke(main, ["--db", str(tmp_path / "outcomes.db"), "build", *words, "--quiet"])
    assert result.stderr == "Error: far enough\n"
    (command,) = commands
    assert command[:2] == ["--quiet", "build"]
    assert nodes(command[2:]) == nodes(words) == {"select": select, "exclude": exclude}


def test_a_word_after_another_option_is_no_node(tmp_path: Path) -> None:
    words = ["build", "-s", "a", "--quiet", "b"]
    result = CliRunner().invoke(main, ["--db", str(tmp_path / "outcomes.db"), *words])
    assert result.exit_code == 2
    assert "unexpected extra argument (b)" in result.stderr

"""outcomes.toml, the environment and options: one setting each, the later one wins."""

import json
from typing import Any

import pytest

from .conftest import Site


def dry(site: Site, *arguments: object, **environment: Any) -> dict[str, Any]:
    return json.loads(site.loader("run", "--dry-run", *arguments, **environment).stdout)


def test_the_file_then_the_environment_then_an_option(site: Site) -> None:
    (site.folder / "outcomes.toml").write_text('publish = "from the file"\nfail_on = ["stale"]\nwait = 3\n')
    assert dry(site)["publish"] == str(site.folder / "from the file")
    assert dry(site, OUTCOMES_PUBLISH="from-the-environment")["publish"] == str(site.folder / "from-the-environment")
    assert dry(site, "--publish", "x", OUTCOMES_PUBLISH="y")["publish"] == str(site.folder / "x")


def test_the_target_is_a_name_and_no_path(site: Site) -> None:
    (site.folder / "outcomes.toml").write_text('target = "duckdb"\n')
    assert dry(site)["target"] == "duckdb"
    assert dry(site, "--target", "sqlite")["target"] == "sqlite"


def test_paths_of_the_file_are_relative_to_it_and_it_may_name_the_database(site: Site, tmp_path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "here.toml").write_text('database = "own.db"\ninbox = "../a site/inbox"\n')
    named = {"OUTCOMES_CONFIG": str(elsewhere / "here.toml"), "OUTCOMES_DB": ""}
    plan = dry(site, **named)
    assert plan["inbox"] == {}
    assert plan["database"] == str(elsewhere / "own.db")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("wiat = 3", "there is no setting wiat; is wait meant?"),
        ('wait = "3"', "wait: expected float, got str"),
        ("wait = -1", "wait: expected float >= 0"),
        ("keep_runs = 0", "keep_runs: expected int >= 1"),
        (
            'fail_on = ["stalled"]',
            "'stalled' is none of stale, demotion, drift, degenerate, new_demotion, ",
        ),
        ('target = "oracle"', "'oracle' is none of sqlite, duckdb, postgres, spark"),
        ("wait =", "is not TOML"),
    ],
)
def test_a_fault_in_the_file_is_one_line_that_names_it(site: Site, text: str, said: str) -> None:
    (site.folder / "outcomes.toml").write_text(text)
    done = site.loader("run", exits=2)
    assert said in done.stderr
    assert str(site.folder / "outcomes.toml") in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


def test_a_fault_in_the_environment_names_the_variable(site: Site) -> None:
    assert "OUTCOMES_WAIT" in site.loader("run", exits=2, OUTCOMES_WAIT="soon").stderr
    assert "'stalled' is not one of" in site.loader("run", "--fail-on", "stalled", exits=2).stderr
    assert site.loader("init", exits=2, OUTCOMES_CONFIG="nowhere.toml").stderr.count("\n") == 1

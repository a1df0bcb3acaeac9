"""The locked files hold what pyproject.toml asks for, checked by hash and bound to no index."""

import importlib.util
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
GROUPS = PROJECT["dependency-groups"]
BASE = PROJECT["project"]["dependencies"]
ASKED = {
    "bootstrap": GROUPS["bootstrap"],
    "setup": [*BASE, *EXTRAS["warehouse"], *GROUPS["dev"]],
    **{name: [*BASE, *asked] for name, asked in EXTRAS.items() if name != "warehouse"},
}


def locked(name: str) -> dict[str, set[str]]:
    """Return the locked versions by package; several where Python versions differ."""
    versions: dict[str, set[str]] = {}
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    for package, version in re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.M):
        versions.setdefault(package, set()).add(version)
    return versions


def test_there_is_one_locked_file_for_set_up_and_for_each_extra():
    assert {path.stem for path in ROOT.glob("requirements/*.txt")} == set(ASKED)


@pytest.mark.parametrize(
    "name", [*ASKED, "oracles/gbstats", "schedulers/airflow", "schedulers/dagster", "dbt_next/duckdb"]
)
def test_every_pin_has_hashes_and_nothing_names_an_address(name):
    text = (ROOT / "requirements" / f"{name}.txt").read_text()
    lines = re.sub(r"\\\n", " ", text).splitlines()
    pins = [line for line in lines if not line.lstrip().startswith("#")]
    assert pins
    assert [pin for pin in pins if not re.fullmatch(r"[a-z0-9-]+==.+ --hash=sha256:\w{64}.*", pin)] == []
    assert re.findall(r"://|--\S*(?:index|find-links|host)\S*|(?<=[ (])/\S+", text) == []


@pytest.mark.parametrize("name", ASKED)
def test_each_requirement_of_the_project_is_locked_at_a_version_it_allows(name):
    versions = locked(name)
    for requirement in map(Requirement, ASKED[name]):
        assert versions[requirement.name]
        assert all(requirement.specifier.contains(each) for each in versions[requirement.name])


@pytest.mark.parametrize("extra", sorted(set(ASKED) - {"bootstrap", "setup"}))
def test_an_extra_changes_nothing_that_set_up_installs(extra):
    installed, added = locked("setup"), locked(extra)
    assert {each: added[each] for each in installed.keys() & added.keys()} == {
        each: installed[each] for each in installed.keys() & added.keys()
    }


def test_the_dbt_that_runs_here_is_the_one_pinned():
    for package in ("dbt-core", "dbt-adapters", "dbt-sqlite"):
        assert {metadata.version(package)} == locked("setup")[package]
    assert metadata.version("dbt-sqlite") == "1.10.0"
    assert metadata.version("dbt-core").startswith("1.11.")


def test_set_up_compiles_what_it_installs():
    """Most of dbt is imported by no test, so nothing else has compiled it."""
    modules = [path.locate() for path in metadata.files("dbt-core") or [] if path.suffix == ".py"]
    assert len(modules) > 100
    assert [path for path in modules if not Path(importlib.util.cache_from_source(path)).exists()] == []


def test_the_build_backend_is_installed_since_the_project_is_built_without_isolation():
    assert set(PROJECT["build-system"]["requires"]) <= set(GROUPS["dev"])


def needed(requirements: list[str]) -> set[str]:
    """Return the packages that these requirements bring along, themselves included."""
    wanted = [each for each in map(Requirement, requirements) if not each.marker or each.marker.evaluate()]
    direct = {each.name for each in wanted}
    return direct.union(*(needed(metadata.requires(name) or []) for name in direct))


def test_recording_needs_nothing_but_the_base_dependencies():
    present = {PROJECT["project"]["name"], *needed(BASE)}
    packages = metadata.packages_distributions()
    absent = [module for module, names in packages.items() if not present & {*map(str.lower, names)}]
    assert "dbt" in absent
    # What sys.modules holds as None cannot be imported.
    script = (
        "import sys; sys.modules.update(dict.fromkeys(sys.argv[1:]));import loader.cli, model_outcomes.answers.terminal"
    )
    done = subprocess.run([sys.executable, "-c", script, *absent], stderr=subprocess.PIPE, text=True, check=False)
    assert done.stderr == ""

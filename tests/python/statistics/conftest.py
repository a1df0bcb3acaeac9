"""The statistics' macros, compiled by dbt and run on SQLite over tables of inputs.

Each file of `queries/` selects from a table `inputs`, whose columns a test makes up, or from a dbt model of the project
that `models/` gives these inputs. All of them are compiled once a session, in both modes of the sequential statistics,
with the vars of the project. So are the examples in the macros' comments, as one query.
"""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import yaml

from ..conftest import Once, with_dbt

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
MODES = ("default", "gbstats")
FORMULAS = sorted((ROOT / "macros" / "statistics").glob("*/*.sql"))
# By macro, the example in its comment: the call and its result, `ratio('7', '2')` and `3.5`.
EXAMPLES = {
    path.stem: match.groups()
    for path in FORMULAS
    if (match := re.search(r"\n    Example: (.+) is (\S+)\n", path.read_text()))
}
PROJECT_MODELS = (
    "intermediate/days/int_numbers",
    "intermediate/rankings/int_models_shrunk",
    "intermediate/rankings/int_model_profiles",
    "intermediate/rankings/int_posteriors_compared",
    "intermediate/federation/int_projects_pooled",
    "marts/federation/federated_model_stats",
    "marts/performance/model_repeats",
)


@pytest.fixture(scope="session")
def project_vars():
    return yaml.safe_load((ROOT / "dbt_project.yml").read_text())["vars"]


@pytest.fixture(scope="session")
@with_dbt
def compiled(once: Once, project_vars):
    """The compiled SQL by mode and name of the query."""
    folder = once("statistics", lambda folder: compile_queries(folder, project_vars))
    return {
        mode: {path.stem: path.read_text() for path in (folder / f"target-{mode}").glob("compiled/**/queries/*.sql")}
        for mode in MODES
    }


def compile_queries(folder: Path, project_vars) -> None:
    shutil.copytree(ROOT / "macros" / "statistics", folder / "macros")
    shutil.copy(ROOT / "macros" / "engines" / "types.sql", folder / "macros")
    shutil.copytree(HERE / "queries", folder / "queries")
    calls = ",\n".join(f"{{{{ {call} }}}} as {name}" for name, (call, _) in EXAMPLES.items())
    (folder / "queries" / "examples.sql").write_text(f"select\n{calls}\nfrom inputs\n")
    shutil.copytree(HERE / "models", folder / "models")
    for name in PROJECT_MODELS:
        shutil.copy(ROOT / "models" / f"{name}.sql", folder / "models")
    project = {
        "name": "statistics",
        "profile": "statistics",
        "macro-paths": ["macros"],
        "analysis-paths": ["queries"],
        "model-paths": ["models"],
        "models": {"+materialized": "ephemeral"},
        "vars": project_vars,
    }
    sqlite = {
        "type": "sqlite",
        "threads": 1,
        "database": "main",
        "schema": "main",
        "schemas_and_paths": {"main": str(folder / "main.db")},
        "schema_directory": str(folder / "none"),
    }
    (folder / "dbt_project.yml").write_text(yaml.safe_dump(project))
    (folder / "profiles.yml").write_text(
        yaml.safe_dump({"statistics": {"target": "sqlite", "outputs": {"sqlite": sqlite}}})
    )
    runs = {
        mode: subprocess.Popen(
            [sys.executable, "-m", "dbt.cli.main", "--quiet", "compile", "--vars", f"sequential_mode: {mode}"],
            cwd=folder,
            env={
                **{name: value for name, value in os.environ.items() if name != "DBT_PARTIAL_PARSE_FILE_PATH"},
                "DBT_PROFILES_DIR": str(folder),
                "DBT_TARGET_PATH": f"target-{mode}",
                "DBT_LOG_PATH": f"logs-{mode}",
                "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for mode in MODES
    }
    for run in runs.values():
        output, _ = run.communicate()
        assert run.returncode == 0, output


@pytest.fixture(scope="session")
def evaluate(compiled):
    """`evaluate(query, mode="default", **columns)`: the result as arrays by column; null is nan, text stays text."""

    def evaluate(query, mode="default", **columns):
        columns = {name: np.asarray(values).tolist() for name, values in columns.items()}
        with sqlite3.connect(":memory:") as connection:
            connection.execute(f"create table inputs (row_id integer primary key, {', '.join(columns)})")
            connection.executemany(
                f"insert into inputs ({', '.join(columns)}) values ({', '.join('?' * len(columns))})",
                zip(*columns.values(), strict=True),
            )
            cursor = connection.execute(compiled[mode][query])
            names = [column[0] for column in cursor.description]
            result = dict(zip(names, zip(*cursor, strict=True), strict=True))
        return {
            name: np.array(values, dtype=object if any(isinstance(value, str) for value in values) else float)
            for name, values in result.items()
        }

    return evaluate


@pytest.fixture
def random():
    return np.random.default_rng(20260131)


@pytest.fixture
def counts(random):
    """1,000 pairs of successes and trials, from 1 trial to 100,000, none and all succeeding among them."""
    trials = np.floor(10 ** random.uniform(0, 5, 1000)).astype(int)
    successes = random.binomial(trials, random.beta(0.7, 0.4, 1000))
    return successes, trials

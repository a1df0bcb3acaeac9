"""The user's workspace: `loader init` writes it, a build reads it, an upgrade and a build leave it alone."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from model_outcomes.base import settings

from ..conftest import python_path
from .conftest import PROJECT, copy_of_project

SEEDS = ["ab_experiments", "error_types", "incumbents", "model_aliases", "task_type_aliases"]
WRITTEN = ["models/README.md", "outcomes.toml", *(f"seeds/{name}.csv" for name in SEEDS)]
COUNT = "select task_type, trials from {{ ref('model_rankings') }}\n"
MART = """models:
  - name: my_trials
    description: One row per task type.
    columns:
      - {name: task_type, data_type: text, description: The task type.}
      - {name: trials, data_type: bigint, description: Trials.}
"""


class Workspace:
    """A folder in which a user works."""

    def __init__(self, folder: Path, project: Path = PROJECT) -> None:
        self.folder, self.project = folder, project
        self.database = folder / "data" / "outcomes.db"

    def loader(self, *arguments: object, exits: int = 0, **environment: str) -> "subprocess.CompletedProcess[str]":
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OUTCOMES_")}
        done = subprocess.run(
            [sys.executable, "-c", "from loader.cli import main; main()", *map(str, arguments)],
            cwd=self.folder, capture_output=True, text=True, timeout=300,
            env={**inherited, "PYTHONPATH": python_path(PROJECT), "OUTCOMES_PROJECT": str(self.project), **environment},
        )  # fmt: skip
        assert done.returncode == exits, done.stdout + done.stderr
        return done

    def record(self, *arguments: str) -> None:
        self.loader("record", "--task-type", "code", "--timestamp", "2026-03-01T12:00:00Z", *arguments)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(sql).fetchall()

    def files(self) -> dict[str, bytes]:
        """Everything of the user's, by path."""
        parts = [self.folder / "outcomes.toml", *(self.folder / part for part in ("seeds", "models"))]
        files = [each for part in parts for each in (part.rglob("*") if part.is_dir() else [part]) if each.is_file()]
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files}


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    folder = tmp_path / "my workspace"
    folder.mkdir()
    workspace = Workspace(folder)
    workspace.loader("init", ".")
    return workspace


def test_init_writes_a_workspace_and_the_database_in_it(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    done = workspace.loader("init", "mine")
    mine = tmp_path / "mine"
    assert sorted(str(path.relative_to(mine)) for path in mine.rglob("*") if path.is_file()) == [
        "data/outcomes.db", *WRITTEN
    ]  # fmt: skip
    lines = done.stdout.splitlines()
    assert sorted(lines[:-1]) == sorted(f"wrote {mine / name}" for name in WRITTEN)
    assert lines[-1].startswith(f"{mine / 'data' / 'outcomes.db'} has schema version ")
    assert (mine / "seeds" / "incumbents.csv").read_text() == "task_type,model_id\n"


def test_init_alone_makes_the_database_and_nothing_else(tmp_path: Path) -> None:
    Workspace(tmp_path).loader("init")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_init_writes_what_is_missing_and_nothing_over(workspace: Workspace) -> None:
    (workspace.folder / "outcomes.toml").write_text('database = "own.db"\n')
    (workspace.folder / "seeds" / "incumbents.csv").write_text("task_type,model_id\ncode,able\n")
    (workspace.folder / "seeds" / "error_types.csv").unlink()
    before = workspace.files()
    workspace.folder.chmod(0o755)
    for folder in (".", workspace.folder):
        done = workspace.loader("init", folder)
        assert done.stdout.splitlines()[-1].startswith(f"{workspace.folder / 'own.db'} has schema version ")
    assert workspace.files() == {**before, "seeds/error_types.csv": b"error_type,attribution\n"}
    elsewhere = Workspace(workspace.folder.parent)
    assert str(workspace.folder / "own.db") in elsewhere.loader("init", workspace.folder).stdout
    assert str(elsewhere.folder / "x.db") in elsewhere.loader("--db", "x.db", "init", workspace.folder).stdout


def test_the_template_has_every_key_commented_out_and_each_of_them_can_be_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = settings.template()
    assert tomllib.loads(text) == {}
    blocks = [block.splitlines() for block in text.split("\n\n")[1:]]
    assert [block[-1].split(" = ")[0] for block in blocks] == [
        f"# {name}" for name in settings.Settings.__struct_fields__
    ]
    assert all(len(block) == 2 and block[0].endswith(".") for block in blocks)
    file = tmp_path / "outcomes.toml"
    file.write_text("".join(block[-1].removeprefix("# ") + "\n" for block in blocks))
    monkeypatch.setattr(os, "environ", {"OUTCOMES_CONFIG": str(file)})
    settings.adopt()
    assert os.environ["OUTCOMES_DB"] == str(tmp_path / "data/outcomes.db")
    assert os.environ["OUTCOMES_FAIL_ON"] == "stale,drift"
    assert len(os.environ) == 1 + len(blocks)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Workspace, dict[str, bytes]]:
    """A workspace with rows in its seeds and two dbt models of the user's, built on a copy of the project that an
    upgrade then changes, and built again; with the user's files as they were before."""
    folder = tmp_path_factory.mktemp("workspace")
    workspace = Workspace(folder, copy_of_project(folder / "product"))
    workspace.loader("init", ".")
    for seed, row in {
        "model_aliases": "able-2026,able", "error_types": "docker_down,infrastructure\ntimeout,infrastructure",
        "incumbents": "code,able",
    }.items():  # fmt: skip
        with (folder / "seeds" / f"{seed}.csv").open("a") as file:
            file.write(f"{row}\n")
    (folder / "models" / "my_view.sql").write_text(COUNT)
    (folder / "models" / "marts").mkdir()
    (folder / "models" / "marts" / "my_trials.sql").write_text("select * from {{ ref('my_view') }}\n")
    (folder / "models" / "marts" / "my_trials.yml").write_text(MART)
    for model, *outcome in (
        ["able", "--success"], ["able-2026", "--success"], ["able", "--failure", "--error-type", "wrong_answer"],
        ["able", "--failure", "--error-type", "docker_down"], ["able", "--failure", "--error-type", "timeout"],
        ["able", "--failure", "--error-type", "rate_limited"], ["able", "--failure", "--error-type", "new_upstream"],
    ):  # fmt: skip
        workspace.record("--model-id", model, *outcome)
    before = workspace.files()
    workspace.loader("run", "--no-report")
    return workspace, before


def test_a_build_reads_seeds_and_dbt_models_of_the_workspace(built: tuple[Workspace, dict[str, bytes]]) -> None:
    workspace, _ = built
    # Of able's 7 attempts three have an infrastructure failure: two by the user's rows, one by a shipped one.
    assert workspace.query("select task_type, model_id, trials from model_rankings") == [("code", "able", 4)]
    assert workspace.query("select task_type, trials from my_trials") == [("code", 4)]
    assert workspace.query("select model_id, is_named from int_incumbents") == [("able", 1)]
    assert dict(workspace.query("select * from int_error_types"))["timeout"] == "infrastructure"


def test_a_mart_of_the_user_is_published(built: tuple[Workspace, dict[str, bytes]]) -> None:
    snapshot = built[0].folder / "data" / "published" / "model_outcomes.db"
    with closing(sqlite3.connect(snapshot)) as connection:
        assert connection.execute("select task_type, trials from my_trials").fetchall() == [("code", 4)]


def test_a_build_changes_no_file_of_the_user(built: tuple[Workspace, dict[str, bytes]]) -> None:
    workspace, before = built
    assert workspace.files() == before


def test_an_upgrade_brings_its_rows_and_touches_no_file_of_the_user(
    built: tuple[Workspace, dict[str, bytes]],
) -> None:
    workspace, before = built
    product = workspace.project
    with (product / "seeds" / "shipped_error_types.csv").open("a") as file:
        file.write("new_upstream,infrastructure\n")
    (product / "models" / "marts" / "upstream.sql").write_text("select task_type from {{ ref('model_stats') }}\n")
    (product / "models" / "marts" / "upstream.yml").write_text(
        "models: [{name: upstream, columns: [{name: task_type, data_type: text}]}]\n"
    )
    (product / "workspace" / "seeds" / "incumbents.csv").write_text("task_type,model_id\ncode,somebody\n")
    (product / "workspace" / "models" / "README.md").write_text("A new text.\n")
    workspace.loader("build", "--quiet")
    assert workspace.query("select trials from model_rankings") == [(3,)]
    assert workspace.query("select task_type, trials from my_trials") == [("code", 3)]
    assert workspace.query("select model_id, is_named from int_incumbents") == [("able", 1)]
    assert workspace.query("select distinct task_type from upstream") == [("code",)]
    workspace.loader("init", ".")
    assert workspace.files() == before


def test_dbt_runs_by_hand_in_the_project_that_a_build_leaves(built: tuple[Workspace, dict[str, bytes]]) -> None:
    workspace, _ = built
    project = workspace.folder / "data" / "outcomes.db.build" / "project"
    before = workspace.files()
    done = subprocess.run(
        [Path(sys.prefix) / "bin" / "dbt", "--quiet", "show", "--select", "my_view", "--output", "json"], cwd=project,
        env={**os.environ, "OUTCOMES_DB": str(workspace.database)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert [row["task_type"] for row in json.loads(done.stdout)["show"]] == ["code"]
    assert workspace.files() == before


def test_a_wrong_row_is_one_line_before_dbt_starts(workspace: Workspace) -> None:
    path = workspace.folder / "seeds" / "ab_experiments.csv"
    with path.open("a") as file:
        file.write("e1,code,able,baker,05/01/2026,,0.5\n")
    done = workspace.loader("build", exits=2)
    assert done.stdout == ""
    assert done.stderr == (
        f"Error: {path}, line 2: started_at 05/01/2026 is no ISO 8601 time such as 2026-01-31 or 2026-01-31T12:00:00Z\n"
    )
    assert not (workspace.folder / "data" / "outcomes.db.build" / "logs" / "dbt.log").exists()
    workspace.record("--model-id", "able", "--success")
    assert f"{path}, line 2: " in workspace.loader("run", "--no-report", exits=2).stderr


def test_a_workspace_that_others_can_write_to_is_not_built(workspace: Workspace) -> None:
    models = workspace.folder / "models"
    (models / "theirs.sql").write_text("select 1 as one\n")
    for place in (workspace.folder, workspace.folder / "outcomes.toml", models, models / "theirs.sql",
                  workspace.folder / "seeds"):  # fmt: skip
        own = place.stat().st_mode
        place.chmod(own | 0o002)
        done = workspace.loader("build", exits=2)
        place.chmod(own)
        assert done.stderr == (
            f"Error: {workspace.folder}: its seeds/ and models/ are not used, because {place} can be written by"
            " other users: change that, or name the folder in OUTCOMES_WORKSPACE\n"
        )
    assert not (workspace.folder / "data" / "outcomes.db.build" / "logs" / "dbt.log").exists()


def test_a_link_to_models_that_others_can_write_is_not_followed(workspace: Workspace, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    theirs.chmod(0o777)
    shutil.rmtree(workspace.folder / "models")
    (workspace.folder / "models").symlink_to(theirs)
    assert f"because {workspace.folder / 'models'} can be written" in workspace.loader("build", exits=2).stderr


def test_the_caller_may_name_a_workspace_and_other_folders_are_none(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.chdir(workspace.folder)
    assert settings.workspace() == workspace.folder
    (workspace.folder / "outcomes.toml").unlink()
    assert settings.workspace() is None
    workspace.folder.chmod(0o777)
    os.environ["OUTCOMES_WORKSPACE"] = "."
    assert settings.workspace() == workspace.folder
    os.environ["OUTCOMES_WORKSPACE"] = str(tmp_path)
    with pytest.raises(settings.SettingsError, match=f"{tmp_path} is no workspace: `loader init {tmp_path}` makes it"):
        settings.workspace()
    # A folder with outcomes.toml that has models/ and seeds/ of something else, as the checkout itself has.
    del os.environ["OUTCOMES_WORKSPACE"]
    monkeypatch.chdir(tmp_path)
    for name in ("outcomes.toml", "seeds/shipped_error_types.csv", "models/user.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert settings.workspace() is None


def test_a_workspace_of_a_strange_folder_is_only_used_if_its_file_is_ours(tmp_path: Path, workspace: Workspace) -> None:
    """A key of outcomes.toml that names a workspace decides which code runs, as `project` does."""
    strange = tmp_path / "strange"
    strange.mkdir()
    (strange / "outcomes.toml").write_text(f'workspace = "{workspace.folder}"\n')
    strange.chmod(0o777)
    message = Workspace(strange).loader("build", exits=2).stderr
    assert f"workspace not taken from it, because {strange} can be written by other users" in message

"""outcomes.toml of a strange folder, and one that is damaged: one line, no other code, and no outcome lost."""

import json
import os
import pwd
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from loader import cli

PROJECT = Path(__file__).resolve().parents[3]
OUTCOME = ["--task-type", "code", "--model-id", "able", "--success"]
STRANGER = 12_345  # a user id that nobody has

DAMAGED = {
    "nested too deeply": "wait = " + "[" * 5_000 + "]" * 5_000,
    "a NUL in a path": 'database = "a\\u0000b"',
    "a user who does not exist": 'database = "~nosuchuser/x.db"',
    "a path of 5,000 characters": f'database = "{"x" * 5_000}"',
    "a path of many folders": f'database = "{"x/" * 2_500}"',
    "a name of 300 characters": f'inbox = "{"x" * 300}"',
    "the wrong type": 'database = ["x"]',
    "a table": "[database]\nx = 1",
    "an unknown key of a page": "x" * 100_000 + " = 1",
    "no TOML": "wait =",
    "an impossible day": "wait = 2026-02-31",
    "5,000 digits": "max_rejects = " + "9" * 5_000,
    "not UTF-8": b'database = "\xff"',
    "two megabytes": "#" * 2_000_000,
}


class Site:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = folder / "outcomes.toml"

    def loader(self, *arguments: object, exits: int = 0, **environment: str) -> "subprocess.CompletedProcess[str]":
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OUTCOMES_")}
        done = subprocess.run(
            [sys.executable, "-c", "from loader.cli import main; main()", *map(str, arguments)],
            cwd=self.folder, capture_output=True, text=True, timeout=120,
            env={**inherited, "HOME": str(self.folder), "XDG_STATE_HOME": str(self.folder / "state"), **environment},
        )  # fmt: skip
        assert done.returncode == exits, done.stdout + done.stderr
        return done

    def kept(self, database: str) -> int:
        with closing(sqlite3.connect(self.folder / database)) as connection:
            return connection.execute("select count(*) from model_outcomes").fetchone()[0]


@pytest.fixture
def site(tmp_path: Path) -> Site:
    folder = tmp_path / "strange"
    folder.mkdir(mode=0o755)
    return Site(folder)


@pytest.fixture
def as_root() -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file to somebody else")


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_damage_is_one_line_before_any_command(site: Site, text: Any) -> None:
    site.settings.write_bytes(text if isinstance(text, bytes) else text.encode())
    for command in ("init", "stats", "drain"):
        done = site.loader(command, exits=2)
        assert done.stderr.startswith(f"Error: {site.settings}: ")
        assert done.stderr.count("\n") == 1
        assert len(done.stderr) < 1_100
    assert sorted(path.name for path in site.folder.iterdir()) == ["outcomes.toml"]


def test_what_is_no_file_is_one_line(site: Site) -> None:
    site.settings.mkdir()
    assert site.loader("init", exits=2).stderr == f"Error: {site.settings}: Is a directory\n"
    site.settings.rmdir()
    os.mkfifo(site.settings)
    assert site.loader("init", exits=2).stderr == f"Error: {site.settings}: not a file\n"
    site.settings.unlink()
    site.settings.symlink_to("nowhere")
    assert site.loader("init", exits=2).stderr == f"Error: {site.settings}: No such file or directory\n"
    assert site.loader("init", exits=2, OUTCOMES_CONFIG=str(site.folder)).stderr.endswith(": Is a directory\n")


@pytest.mark.parametrize("command", sorted(set(cli.COMMANDS) - {"record"}))
def test_every_command_but_record_ends_with_that_line(site: Site, invoke: Any, monkeypatch: Any, command: str) -> None:
    monkeypatch.chdir(site.folder)
    monkeypatch.delenv("OUTCOMES_CONFIG", raising=False)
    site.settings.write_text("wait =")
    result = invoke(command)
    assert result.exit_code == 2
    assert result.stderr.startswith(f"Error: {site.settings}: this is not TOML: ")


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_record_keeps_its_outcome_until_the_file_is_mended(site: Site, text: Any) -> None:
    site.settings.write_bytes(text if isinstance(text, bytes) else text.encode())
    done = site.loader("record", *OUTCOME, "--event-id", "one")
    assert done.stdout == ""
    assert done.stderr.startswith(f"Warning: {site.settings}: ")
    assert done.stderr.count("\n") == 1
    (spool,) = (site.folder / "state" / "model-outcomes").iterdir()
    assert f"kept in {spool} for `loader drain`" in done.stderr
    assert json.loads(spool.read_text())["event_id"] == "one"

    site.settings.write_text('database = "own.db"\n')
    site.loader("--db", "other.db", "drain")
    assert site.kept("other.db") == 0
    assert f"drained {spool}\n1 accepted" in site.loader("drain").stdout
    assert site.kept("own.db") == 1
    assert not spool.exists()


def test_record_uses_the_database_that_its_caller_names(site: Site) -> None:
    site.settings.write_text("wait =")
    by_option = site.loader("--db", "named.db", "record", *OUTCOME)
    by_variable = site.loader("record", *OUTCOME, OUTCOMES_DB="named.db")
    assert site.kept("named.db") == 2
    for done in (by_option, by_variable):
        assert done.stdout == f"recorded in {site.folder / 'named.db'}\n"
        assert done.stderr.startswith(f"Warning: {site.settings}: this is not TOML: ")
    assert not (site.folder / "state").exists()


def test_record_says_so_where_nothing_can_be_kept(site: Site) -> None:
    site.settings.write_text("wait =")
    (site.folder / "state").write_text("a file")
    done = site.loader("record", *OUTCOME, "--event-id", "one", exits=74)
    outcome, message = done.stderr.splitlines()
    assert json.loads(outcome)["event_id"] == "one"
    assert message.startswith("Error: the outcome could be kept nowhere")


@pytest.mark.parametrize("setting", ["project", "target"])
def test_others_do_not_choose_the_code_that_runs(site: Site, setting: str) -> None:
    value = "sqlite" if setting == "target" else str(PROJECT)
    site.settings.write_text(f'{setting} = "{value}"\n')
    site.settings.chmod(0o644)
    site.loader("run", "--dry-run")
    for place, mode in ((site.settings, 0o646), (site.folder, 0o757)):
        own = place.stat().st_mode
        place.chmod(mode)
        message = site.loader("run", "--dry-run", exits=2).stderr
        place.chmod(own)
        shown = "it" if place == site.settings else place
        assert message == (
            f"Error: {site.settings}: {setting} not taken from it, because {shown} can be written by other users:"
            " change that, or name the file in OUTCOMES_CONFIG\n"
        )


@pytest.mark.usefixtures("as_root")
def test_a_file_of_another_user_does_not_choose_it_either(site: Site) -> None:
    site.settings.write_text(f'project = "{PROJECT}"\n')
    for place in (site.settings, site.folder):
        os.chown(place, STRANGER, STRANGER)
        assert "belongs to another user" in site.loader("run", "--dry-run", exits=2).stderr
        os.chown(place, 0, 0)
    site.loader("run", "--dry-run")


@pytest.mark.usefixtures("as_root")
def test_nor_does_a_link_to_a_file_of_another_user(site: Site, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    (theirs / "outcomes.toml").write_text(f'project = "{PROJECT}"\n')
    site.settings.symlink_to(theirs / "outcomes.toml")
    site.loader("run", "--dry-run")
    os.chown(theirs, STRANGER, STRANGER)
    assert f"because {theirs} belongs to another user" in site.loader("run", "--dry-run", exits=2).stderr


def test_a_group_of_ones_own_is_nobody_else(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Many systems give each user a group, and let it write."""
    import grp

    from model_outcomes.base import settings

    user = pwd.getpwuid(os.geteuid())
    monkeypatch.chdir(site.folder)
    monkeypatch.delenv("OUTCOMES_CONFIG", raising=False)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    site.settings.write_text('target = "sqlite"\n')
    os.chown(site.settings, -1, user.pw_gid)
    site.settings.chmod(0o664)
    for members, is_own in (([], True), ([user.pw_name], True), (["somebody"], False)):
        entry = grp.struct_group((user.pw_name, "x", user.pw_gid, members))
        monkeypatch.setattr(grp, "getgrgid", lambda _, entry=entry: entry)
        if is_own:
            settings.adopt()
        else:
            with pytest.raises(settings.SettingsError, match="can be written by other users"):
                settings.adopt()


def test_a_file_that_is_named_is_trusted_and_other_settings_are_taken(site: Site) -> None:
    site.settings.write_text(f'project = "{PROJECT}"\ninbox = "."\n')
    site.settings.chmod(0o666)
    plan = json.loads(site.loader("run", "--dry-run", OUTCOMES_CONFIG=str(site.settings)).stdout)
    assert plan["project"] == str(PROJECT)
    site.settings.write_text('publish = "there"\n')
    assert json.loads(site.loader("run", "--dry-run").stdout)["publish"] == str(site.folder / "there")


def test_a_pipe_may_be_named(site: Site) -> None:
    named = site.folder / "pipe"
    os.mkfifo(named)
    writer = subprocess.Popen(["sh", "-c", f"echo 'publish = \"piped\"' > '{named}'"])
    plan = json.loads(site.loader("run", "--dry-run", OUTCOMES_CONFIG=str(named)).stdout)
    assert plan["publish"] == str(site.folder / "piped")
    assert writer.wait(20) == 0

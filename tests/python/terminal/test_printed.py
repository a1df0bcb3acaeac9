"""No command prints a character that steers a terminal, whatever the names are."""

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import unicodedata
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from loader import cli

from ..conftest import python_path, with_dbt

PROJECT = Path(__file__).resolve().parents[3]
PATIENCE = 120  # seconds until a test gives up
HOSTILE = [
    "esc\x1b[2J\x1b]0;title\x07",
    "c1\x9b31m\x85next",
    "two\nError: lines\r\n",
    "del\x7f\ttab",
    "bidi\u202a\u202b\u202c\u202d\u202e",
    "isolates\u2066\u2067\u2068\u2069\u200f\u061c",
    "zero\u200bwidth\ufeff\u2060\u00ad",
    "lines\u2028and\u2029paragraphs",
    "tag\U000e0041",
    "=1+1",
    "\uff1d1+1",
    "x" * 300,
    "able",
]
EVERY = "".join(HOSTILE[:9])
FILE_NAME = EVERY.replace("/", "")[:80]
FOREIGN = {"foreign" + EVERY: 1}


def steering(text: str) -> list[str]:
    """Return the characters of a text that steer: controls but the line break, formats, separators, surrogates."""
    kinds = ("Cc", "Cf", "Cs", "Zl", "Zp")
    return [each for each in text if each != "\n" and unicodedata.category(each) in kinds]


class Site:
    """A folder with a built log of hostile names, under a hostile file name."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / f"log {FILE_NAME}.db"
        self.run_output = ""

    def environment(self) -> dict[str, str]:
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("OUTCOMES_")}
        own = {"OUTCOMES_PROJECT": str(PROJECT), "HOME": str(self.folder), "PYTHONPATH": python_path(PROJECT)}
        return {**inherited, **own}

    def start(self, *arguments: object) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", "from loader.cli import main; main()", "--db", self.database, *arguments]
        return subprocess.Popen(
            [str(part) for part in command], cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", errors="replace",
        )  # fmt: skip

    def printed(self, *arguments: object, exits: int = 0) -> str:
        process = self.start(*arguments)
        stdout, stderr = process.communicate(timeout=180)
        assert process.returncode == exits, ascii(stdout + stderr)
        return stdout + stderr


def outcomes() -> Iterator[dict[str, Any]]:
    for number, name in enumerate(HOSTILE):
        for attempt in range(12):
            yield {
                "task_type": name,
                "model_id": HOSTILE[(number + attempt % 2) % len(HOSTILE)],
                "success": attempt > 3,
                "error_type": None if attempt > 3 else "error" + EVERY,
                "recorded_by": name,
                "timestamp": f"2026-01-{1 + attempt:02}T12:00:00Z",
            }


@pytest.fixture(scope="module")
@with_dbt
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = Site(tmp_path_factory.mktemp("printed"))
    inbox = site.folder / "inbox"
    inbox.mkdir()
    lines = [json.dumps({**each, **FOREIGN}) + "\n" for each in outcomes()]
    (inbox / f"{FILE_NAME}.jsonl").write_text("".join(lines), encoding="utf-8")
    (inbox / f"ignored{FILE_NAME}").write_text("x")
    (inbox / f"bad{FILE_NAME}.jsonl").write_text(json.dumps({"task_type": EVERY, "success": EVERY}) + "\n")
    site.run_output = site.printed("run", "--inbox", inbox, "--max-rejects", 9)
    return site


@pytest.fixture
def invoke(site: Site, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command in this process; what it raises must be an exit code, not a traceback."""
    for name in list(os.environ):
        if name.startswith("OUTCOMES_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("OUTCOMES_PROJECT", str(PROJECT))
    monkeypatch.setenv("HOME", str(site.folder))
    monkeypatch.chdir(site.folder)

    def run(*arguments: object, **environment: str) -> Result:
        command = ["--db", str(site.database), *map(str, arguments)]
        result = CliRunner().invoke(cli.main, command, env=environment)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


# Arguments of each command that make it print names: the log's, a file's, or what the caller typed.
IN_THIS_PROCESS: dict[str, list[list[Any]]] = {
    "init": [[]],
    "record": [
        ["--task-type", EVERY, "--model-id", EVERY, "--success", "--timestamp", EVERY],
        ["--task-type", "x", "--model-id", "x", "--success", "--cost-source", EVERY],
    ],
    "drain": [[]],
    "correct": [[EVERY, "--void", "--reason", EVERY], [EVERY, "--success", "--corrected-by", EVERY]],
    "rejects": [[], ["--forget", EVERY]],
    "load": [["{file}", "missing" + EVERY, os.fsdecode(b"missing\xff\x9b")], ["--format", EVERY, "x"]],
    "import-legacy": [["{legacy}"], ["missing" + EVERY]],
    "sync-uok": [["{uok}"], ["missing" + EVERY], ["{file}"]],
    "audit": [[], ["--json"]],
    "runs": [[], ["--json"], ["--csv"]],
    "doctor": [[], ["--json"]],
    "backup": [["{folder}/backup" + EVERY[:20]], ["missing/" + EVERY]],
    "stats": [[], ["--json"], ["--csv"], [EVERY]],
    "rank": [[name] for name in HOSTILE] + [[EVERY], [HOSTILE[0], "--json"], [HOSTILE[2], "--csv"]]
    + [[HOSTILE[0], "--by", "agent"], [HOSTILE[0], "--by", EVERY]],
    "pairs": [[name] for name in HOSTILE[:3]] + [
        [HOSTILE[0], HOSTILE[0], HOSTILE[1]], [HOSTILE[0], HOSTILE[0], HOSTILE[1], "--json"], [EVERY, "a", "b"],
        [HOSTILE[0], EVERY, "b"],
    ],
    "trends": [[], ["--json"], ["--csv"], [EVERY]],
    "candidates": [[], ["--json"], ["--csv"], [EVERY]],
    "compare": [
        ["--task-type", HOSTILE[0], HOSTILE[0], HOSTILE[1], *output] for output in ([], ["--json"], ["--csv"])
    ] + [["--task-type", EVERY, "a", "b"], ["--task-type", HOSTILE[0], EVERY, "b"],
         ["--task-type", HOSTILE[0], HOSTILE[0], HOSTILE[1], "--since", EVERY]],
    "report": [["-o", "report" + EVERY[:20]], ["-o", "absent/" + EVERY]],
    "export-federated": [["-o", "-"], ["-o", "absent/" + EVERY], ["-o", "-", "--rename-map", "missing" + EVERY]],
    "import-federated": [["{file}", "missing" + EVERY]],
    "federation": [["list"], ["list", "--json"], ["forget", EVERY], [EVERY]],
    "export-log": [["--to", EVERY], ["--to", "postgres", EVERY]],
}  # fmt: skip
AS_PROCESSES: dict[str, list[tuple[list[Any], int]]] = {
    "build": [(["--select", EVERY], 1), (["--target", EVERY], 2)],
    "docs": [(["-o", "absent/" + EVERY], 2)],
    "run": [(["--dry-run", "--inbox", "inbox"], 0), (["--fail-on", EVERY], 2)],
    "serve": [(["--publish", "missing" + EVERY], 2), (["--host", "host" + EVERY], 2)],
}


def test_every_command_is_among_them() -> None:
    assert sorted([*IN_THIS_PROCESS, *AS_PROCESSES]) == sorted(cli.COMMANDS)


@pytest.mark.parametrize("name", IN_THIS_PROCESS)
def test_a_command_prints_nothing_that_steers(site: Site, invoke: Any, name: str) -> None:
    (site.folder / f"file{FILE_NAME}").write_text(json.dumps({**FOREIGN, EVERY: 1}) + "\n" + EVERY, encoding="utf-8")
    (site.folder / "legacy.json").write_text(json.dumps({EVERY: {EVERY: {"successes": EVERY}}}))
    with closing(sqlite3.connect(site.folder / f"uok{FILE_NAME}.db")) as connection:
        connection.execute("create table if not exists llm_task_outcomes (task_type text)")
    places = {"folder": site.folder, "file": site.folder / f"file{FILE_NAME}",
              "legacy": site.folder / "legacy.json", "uok": site.folder / f"uok{FILE_NAME}.db"}  # fmt: skip
    for arguments in IN_THIS_PROCESS[name]:
        given = [each.format(**places) if each.startswith("{") else each for each in arguments]
        result = invoke(name, *given)
        assert result.output
        assert steering(result.stdout) == [], given
        assert steering(result.stderr) == [], given


@pytest.mark.parametrize("name", AS_PROCESSES)
def test_a_command_with_processes_of_its_own_prints_nothing_that_steers(site: Site, name: str) -> None:
    for arguments, code in AS_PROCESSES[name]:
        assert steering(site.printed(name, *arguments, exits=code)) == []


def test_a_run_prints_nothing_that_steers_and_its_summary_keeps_the_names(site: Site) -> None:
    assert steering(site.run_output) == []
    summary = json.loads(site.run_output[site.run_output.index("{") : site.run_output.rindex("\n}") + 2])
    assert str(site.database) == summary["database"]
    assert [Path(path).name for path in summary["inbox"]["ignored"]] == [f"ignored{FILE_NAME}"]


def test_the_server_prints_nothing_that_steers(site: Site) -> None:
    process = site.start("serve", "--port", 0)
    try:
        first = process.stdout.readline()
        (address,) = re.findall(r"http://127\.0\.0\.1:\d+/", first)
        # Where SIGINT is ignored, as in a shell's background, it is lost until the server listens for it.
        with urllib.request.urlopen(f"{address}-/versions.json", timeout=PATIENCE) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=PATIENCE)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert "serving" in first
    assert steering(first + stdout + stderr) == []


@pytest.mark.parametrize(
    "arguments",
    [["--wrong" + EVERY], ["wrong" + EVERY], ["rank", "x", "--min-samples", EVERY], ["stats", "a", "extra" + EVERY]],
    ids=["option", "command", "value", "argument"],
)
def test_what_click_says_of_a_call_is_one_line_that_steers_nothing(invoke: Any, arguments: list[str]) -> None:
    result = invoke(*arguments)
    assert result.exit_code == 2
    assert steering(result.output) == []
    assert result.stderr.splitlines()[-1].startswith("Error: ")
    assert "Error: lines" not in result.stderr.splitlines()


def test_a_name_in_the_middle_of_an_error_begins_no_line(invoke: Any) -> None:
    result = invoke("rank", "no\nError: such")
    assert result.stderr.count("\n") == 1
    assert result.stderr.startswith("Error: no outcomes for task type ")


def test_a_variable_and_the_settings_steer_nothing(site: Site, invoke: Any) -> None:
    assert steering(invoke("run", OUTCOMES_TARGET=EVERY.replace("\0", "")).output) == []
    settings = site.folder / "outcomes.toml"
    settings.write_text(json.dumps("key" + EVERY) + " = 1\n")
    try:
        result = invoke("stats")
    finally:
        settings.unlink()
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert steering(result.stderr) == []


def test_the_report_shows_nothing_that_steers(site: Site, invoke: Any) -> None:
    page = site.folder / "page.html"
    assert invoke("report", "-o", page).exit_code == 0
    text = re.sub(r"<script>.*?</script>", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert "able" in text
    assert steering(text.replace("\t", "")) == []
    assert not {"\u202e", "\u2066", "\x9b"} & set(page.read_text(encoding="utf-8"))


def test_json_says_the_very_names(invoke: Any) -> None:
    rows = json.loads(invoke("stats", "--json").stdout)
    assert {row["task_type"] for row in rows} >= set(HOSTILE)


def test_a_traceback_steers_nothing(site: Site) -> None:
    """An error that nobody has thought of keeps its traceback, with a name in it perhaps."""
    script = f"from model_outcomes.base import console\nwith console.guarding():\n    raise RuntimeError({EVERY!a})"
    raised = subprocess.run(
        [sys.executable, "-c", script], cwd=site.folder, env=site.environment(), capture_output=True, encoding="utf-8"
    )
    assert "RuntimeError: esc\N{REPLACEMENT CHARACTER}[2J" in raised.stderr
    assert steering(raised.stderr) == []

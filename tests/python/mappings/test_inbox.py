"""A run loads folders of other tools' files, as outcomes.toml names them."""

import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from model_outcomes.base import settings
from model_outcomes.job import inputs
from model_outcomes.job.inputs import StepResult
from model_outcomes.log import store

LOG = {
    "version": 2, "plan": {}, "stats": {"started_at": "2026-05-01T10:00:00Z"},
    "eval": {"task": "sums", "task_id": "T", "model": "able", "task_attribs": {}},
    "samples": [{"id": 1, "epoch": 1, "uuid": "u1", "scores": {"m": {"value": "C"}}},
                {"id": 2, "epoch": 1, "uuid": "u2", "scores": {}}],
}  # fmt: skip
Load = Callable[[], StepResult]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line) -> Path:
    """A workspace with an inbox: our own lines, and a folder with a log of Inspect."""
    (tmp_path / "inbox/evals").mkdir(parents=True)
    write(tmp_path / "inbox/ours.jsonl", line())
    write(tmp_path / "inbox/evals/sums.json", json.dumps(LOG).encode())
    for name in ("OUTCOMES_LOAD", "OUTCOMES_INBOX"):
        monkeypatch.setenv(name, "")
    return tmp_path


@pytest.fixture
def load(folder: Path, database: Path) -> Iterator[Load]:
    """Load what the outcomes.toml of the workspace names, as a run does."""
    with closing(store.create_or_open(database)) as connection:

        def run() -> StepResult:
            settings_of(folder)
            inbox = os.environ.get("OUTCOMES_INBOX")
            steps = inputs.steps(connection, database, None, Path(inbox) if inbox else None, None)
            return next(step for step in steps if step.name == "inbox").take()

        yield run


def settings_of(folder: Path) -> None:
    for name in ("OUTCOMES_LOAD", "OUTCOMES_INBOX"):
        os.environ[name] = ""
    os.environ["OUTCOMES_CONFIG"] = str(folder / "outcomes.toml")
    try:
        settings.adopt()
    finally:
        del os.environ["OUTCOMES_CONFIG"]


def write(path: Path, content: bytes) -> None:
    """Write a file that has not changed for an hour."""
    path.write_bytes(content)
    os.utime(path, (time.time() - 3600, time.time() - 3600))


TABLES = {
    "under load": 'inbox = "inbox"\n[load.evals]\nfolder = "inbox/evals"\nas = "inspect"\ntask_type = "arithmetic"\n',
    "under inbox": '[inbox]\nfolder = "inbox"\n[inbox.evals]\nas = "inspect"\ntask_type = "arithmetic"\n',
    "under inbox alone": '[inbox.evals]\nas = "inspect"\ntask_type = "arithmetic"\n',
}


@pytest.mark.parametrize("text", TABLES.values(), ids=TABLES)
def test_a_run_loads_the_folders_that_have_a_mapping(folder: Path, load: Load, query, text: str) -> None:
    (folder / "outcomes.toml").write_text(text)
    result = load()
    assert (result.accepted, result.rejected, [str(fault) for fault in result.faults]) == (2, 0, [])
    assert query("select task_type, event_id from model_outcomes order by 1") == [
        ("arithmetic", "u1"),
        ("coding", None),
    ]
    assert query("select format from load_history order by 1") == [("inspect",), ("jsonl",)]
    assert "  1 without a verdict: not scored" in result.lines
    again = load()
    assert (again.accepted, again.duplicates, again.summary.known) == (0, 0, 2)
    log = json.loads(json.dumps(LOG))
    log["samples"].append({"id": 3, "epoch": 1, "uuid": "u3", "scores": {"m": {"value": "I"}}})
    write(folder / "inbox/evals/sums.json", json.dumps(log).encode())
    grown = load()
    assert (grown.accepted, grown.duplicates) == (1, 1)


def test_a_tools_file_in_the_plain_inbox_is_named_once(folder: Path, load: Load, query) -> None:
    (folder / "outcomes.toml").write_text('inbox = "inbox"\n')
    (fault,) = load().faults
    assert str(fault).endswith("sums.json is an Inspect log: load it with --as inspect")
    assert load().faults == []
    assert query("select count(*) from rejected_outcomes") == [(0,)]


def test_a_fault_of_the_settings_is_named_until_it_is_mended(folder: Path, load: Load) -> None:
    (folder / "inbox/evals/sums.json").unlink()
    write(folder / "inbox/evals/weak_eval_results.json", b'{"instance_a__b": true}')
    text = 'inbox = "inbox"\n[load.evals]\nfolder = "inbox/evals"\nas = "swe-bench"\n'
    (folder / "outcomes.toml").write_text(text)
    for _ in range(2):
        assert [str(fault) for fault in load().faults] == [
            "load.evals: swe-bench needs --timestamp (the time of the run, which no file has)"
        ]
    (folder / "outcomes.toml").write_text(f'{text}timestamp = "2026-05-01T10:00Z"\n')
    assert load().accepted == 1


def test_a_broken_file_is_named_once_and_a_fresh_one_waits(folder: Path, load: Load) -> None:
    (folder / "outcomes.toml").write_text(TABLES["under load"])
    write(folder / "inbox/evals/broken.eval", b"PK broken")
    (folder / "inbox/evals/fresh.eval").write_bytes(b"PK being written")
    outside = folder / "secret.json"
    outside.write_text(json.dumps(LOG))
    (folder / "inbox/evals/link.json").symlink_to(outside)
    result = load()
    assert sorted(str(fault).split("/")[-1] for fault in result.faults) == [
        "broken.eval is no zip that can be read: File is not a zip file",
        "link.json: is a link out of the inbox: put the file itself here",
    ]
    assert result.summary.being_written == [str(folder / "inbox/evals/fresh.eval")]
    assert result.accepted == 2
    assert load().faults == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[load.evals]\nfolder = "x"\n', "load.evals: a folder needs the key as"),
        ('[load.evals]\nas = "inspect"\ncolour = "red"\n', "colour"),
        ('[inbox.evals]\nas = "inspect"\n[load.evals]\nas = "inspect"\n', "there is a load.evals, too"),
        ('[inbox]\nevals = "inspect"\n', "inbox.evals: expected a table such as [inbox.evals]"),
    ],
)
def test_a_fault_of_outcomes_toml_is_one_line(folder: Path, text: str, message: str) -> None:
    (folder / "outcomes.toml").write_text(text)
    with pytest.raises(settings.SettingsError, match=r"^[^\n]*$") as fault:
        settings_of(folder)
    assert message in str(fault.value)

"""An inbox in which strangers write: each bad file is named once, nothing else suffers, and no link leads out."""

import errno
import gzip
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from model_outcomes.answers import caveats
from model_outcomes.intake import inbox, legacy, loads
from model_outcomes.intake.inbox import InboxResult
from model_outcomes.log import store

from . import without_dbt
from .conftest import Site, lines, outcome

GOOD = '{"task_type": "code", "model_id": "%s", "success": true, "timestamp": "2026-01-31T12:00:00Z"}\n'
AN_HOUR = 3_600.0  # seconds


class Inbox:
    """A folder and its log, and the inbox step of a run over both."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.database = folder / "inbox", folder / "outcomes.db"
        self.folder.mkdir()
        self.connection = store.create_or_open(self.database)

    def put(self, name: str | bytes, content: str | bytes = GOOD % "able") -> Path:
        """A file that nobody has changed for an hour."""
        path = self.folder / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        os.utime(path, (time.time() - AN_HOUR,) * 2)
        return path

    def load(self) -> InboxResult:
        return inbox.load(self.connection, self.folder, self.database)

    def faults(self) -> list[str]:
        """The faults of one run, without the name of the folder."""
        return [str(fault).replace(f"{self.folder}/", "") for fault in self.load().faults]

    def models(self) -> list[str]:
        return [name for (name,) in self.connection.execute("select model_id from model_outcomes order by id")]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Inbox]:
    made = Inbox(tmp_path)
    with closing(made.connection):
        yield made


def make_hostile(folder: Path, zeros: int, files: int) -> None:
    """Fill an inbox with what must not end a run, `files` good small files and a good one behind all."""
    (folder / "a-nested.json").write_bytes(b"[" * 100_000)
    with (folder / "b-zeros.json").open("wb") as file:
        file.write(b"[")
        for start in range(0, zeros, 500_000):
            file.write(b"0," * min(500_000, zeros - start))
        file.write(b"0]")
    Path(os.fsdecode(os.fsencode(folder) + b"/c-caf\xe9.jsonl")).write_text(GOOD % "unnamed")
    Path(os.fsdecode(os.fsencode(folder) + b"/c-caf\xe9.txt")).write_text("ignored")
    os.mkfifo(folder / "d-pipe.jsonl")
    (folder.parent / "secret.txt").write_text("a secret\n")
    (folder / "e-link.jsonl").symlink_to(folder.parent / "secret.txt")
    packed = gzip.compress(os.urandom(2_000).hex().encode())
    (folder / "f-cut.jsonl.gz").write_bytes(packed[: len(packed) // 2])
    (folder / "g-line.jsonl").write_text('{"a": ' + "[" * 100_000 + "]" * 100_000 + "}\n" + GOOD % "beside")
    for number in range(files):
        path = folder / "small" / str(number // 1_000) / f"{number}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(GOOD.replace("}", f', "duration_ms": {number}}}') % "small")  # none is a copy of another
    (folder / "z-good.jsonl").write_text(GOOD % "good" * 3)
    past = time.time() - AN_HOUR
    for path in folder.rglob("*"):
        if path.name != "d-pipe.jsonl":
            os.utime(path, (past, past), follow_symlinks=False)


# A program inherits the peak of the process that it replaces, so a small one in between starts the command.
MEASURING = (
    "import resource, subprocess, sys; code = subprocess.call(sys.argv[1:]); "
    "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)"
)


def run_measured(site: Site, *arguments: object) -> tuple[str, int, int]:
    """Return the standard output of a command, its exit code, and the peak in kB of its largest process."""
    process = site.start(*arguments, before=[sys.executable, "-c", MEASURING])
    with process:
        stdout, stderr = process.communicate()
    code, peak_kb = stderr.splitlines()[-1].split()
    return stdout, int(code), int(peak_kb)


@pytest.mark.parametrize(
    ("zeros", "files"), [(3_000, 30), pytest.param(49_000_000, 20_000, marks=pytest.mark.slow, id="full size")]
)
def test_a_hostile_inbox_stops_nothing_and_is_told_once(site: Site, zeros: int, files: int) -> None:
    make_hostile(site.inbox, zeros, files)
    stdout, exit_code, peak_kb = run_measured(site, "run", "--inbox", "inbox", "--max-rejects", 10**9)
    summary = json.loads(stdout)
    assert (exit_code, summary["exit_code"]) == (2, 2)
    assert [fault.replace(f"{site.inbox}/", "")[:30] for fault in summary["faults"]] == [
        "a-nested.json is not a JSON ar", "c-caf\\xe9.jsonl: the name is n", "d-pipe.jsonl: is a FIFO, not a",
        "e-link.jsonl: is a link out of", "f-cut.jsonl.gz: the .gz is dam",
    ]  # fmt: skip
    rejected = {Path(each["path"]).name: each["rejected"] for each in summary["inbox"]["loaded"] if each["rejected"]}
    assert rejected == {"b-zeros.json": zeros + 1, "g-line.jsonl": 1}
    assert summary["accepted"] == files + 4
    assert summary["inbox"]["ignored"] == [f"{site.inbox}/c-caf\\xe9.txt"]
    assert summary["published"]["marts"] > 3
    assert site.query("select count(*) from rejected_outcomes where raw_text like '%secret%'") == [(0,)]
    assert site.query("select count(*) from rejected_outcomes") == [(1_000 + 1 + 1,)]
    assert 20_000 < peak_kb < 500_000
    with closing(store.open_existing(site.database)) as connection:
        (caveat,) = (each for each in caveats.of_data(connection) if each.kind is caveats.Kind.REJECTED_LINES)
    assert caveat.figures == {"lines": zeros + 2}
    assert sum(place.figures["lines"] for place in caveat.places) == 1_000 + 1
    assert "were kept" in caveat.consequence
    again = site.run("--max-rejects", 10**9)
    assert (again["faults"], again["accepted"], len(again["inbox"]["faulty"])) == ([], 0, 5)
    assert again["inbox"]["known"] == files + 3
    assert again["unresolved_rejects"]["lines"] == zeros + 2
    assert (len(again["unresolved_rejects"]["files"]), again["unresolved_rejects"]["faulty_files"]) == (2, 5)


def test_what_cannot_be_a_file_is_named_and_not_opened(box: Inbox, tmp_path: Path) -> None:
    os.mkfifo(box.folder / "a.jsonl")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.csv").write_text("a secret\n")
    (box.folder / "b.csv").symlink_to(tmp_path / "outside" / "secret.csv")
    (box.folder / "c.json").symlink_to("/dev/zero")
    (box.folder / "d.jsonl").symlink_to(tmp_path / "nothing there")
    (box.folder / "e").symlink_to(tmp_path / "outside")
    box.put(b"f-\xff.jsonl")
    box.put(b"g-\xff/h.jsonl")
    box.put("z.jsonl")
    result = box.load()
    assert [str(fault).replace(f"{box.folder}/", "").partition(":")[0] for fault in result.faults] == [
        "a.jsonl", "b.csv", "c.json", "d.jsonl", "f-\\xff.jsonl", "g-\\xff",
    ]  # fmt: skip
    assert (box.models(), result.ignored) == (["able"], [f"{box.folder}/e"])
    assert box.connection.execute("select count(*) from rejected_outcomes").fetchone() == (0,)
    again = box.load()
    assert (again.faults, len(again.faulty), again.known) == ([], 6, 1)
    (box.folder / "a.jsonl").unlink()
    box.put("a.jsonl", GOOD % "mended")
    assert box.faults() == []
    assert box.models() == ["able", "mended"]


def test_a_link_to_a_file_of_the_inbox_is_read(box: Inbox) -> None:
    box.put("days/31.data", GOOD % "today")
    (box.folder / "current.jsonl").symlink_to("days/31.data")
    assert box.faults() == []
    assert box.models() == ["today"]
    assert box.load().known == 1


@pytest.mark.parametrize("swapped", ["the file", "its folder", "a FIFO"])
def test_a_link_that_takes_a_file_s_place_is_not_followed(
    box: Inbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, swapped: str
) -> None:
    path = box.put("folder/log.jsonl")
    files = inbox.listing(box.connection, box.folder, box.database)
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "log.jsonl").write_text(GOOD % "secret")
    path.unlink()
    if swapped == "the file":
        path.symlink_to(outside / "log.jsonl")
    elif swapped == "a FIFO":
        os.mkfifo(path)
    else:
        path.parent.rmdir()
        path.parent.symlink_to(outside)
    monkeypatch.setattr(inbox, "listing", lambda *_: files)
    (fault,) = box.faults()
    assert fault.startswith("folder/log.jsonl: ")
    assert box.models() == []


def test_a_file_dated_after_2262_is_a_file(box: Inbox) -> None:
    path = box.put("log.jsonl")
    os.utime(path, ns=(2**63 + 10**9,) * 2)
    if path.stat().st_mtime_ns < 2**63:
        pytest.skip("this file system knows no such time")
    assert (box.faults(), box.load().known) == ([], 1)


# A process that ends, as if killed, when it is to load a file called killer: `at` batches after it began.
KILLED = """
import os, sys
from pathlib import Path
from model_outcomes.intake import loads
from model_outcomes.log import store
from model_outcomes.intake import inbox
folder, database, at = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
write, written = loads.Writer.write, [0]
def counted(writer, batch):
    if "killer" in writer._source.name and written[0] == at:
        os._exit(9)
    write(writer, batch)
    written[0] += "killer" in writer._source.name
loads.Writer.write = counted
result = inbox.load(store.create_or_open(database), folder, database)
print(*result.faults, sep="\\n")
"""


def run_killed(box: Inbox, at: int) -> tuple[int, str]:
    command = [sys.executable, "-c", KILLED, str(box.folder), str(box.database), str(at)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    return done.returncode, done.stdout.strip()


def test_a_file_that_ends_two_runs_is_left_out_until_it_changes(box: Inbox) -> None:
    box.put("killer.jsonl", GOOD % "killer")
    box.put("other.jsonl", GOOD % "other")
    assert [run_killed(box, 0)[0] for _ in range(2)] == [9, 9]
    code, fault = run_killed(box, 0)
    assert (code, fault.startswith(f"{box.folder}/killer.jsonl: the last 2 runs ended before")) == (0, True)
    assert box.models() == ["other"]
    assert run_killed(box, 0) == (0, "")
    box.put("killer.jsonl", GOOD % "tamed" * 2)
    assert box.faults() == []
    assert box.models() == ["other", "tamed", "tamed"]


def test_a_large_file_that_gets_further_in_each_run_is_loaded_to_its_end(box: Inbox) -> None:
    line = GOOD.replace("}", ', "task_id": "' + "x" * 490 + '"}') % "able"
    count = 4_500_000 // len(line)
    box.put("killer.jsonl", line * count)
    codes = [run_killed(box, 1)[0] for _ in range(6)]
    assert codes[:3] == [9, 9, 9]
    assert codes[-1] == 0
    assert box.models() == ["able"] * count


def test_who_stops_a_run_does_not_make_a_file_suspect(box: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    box.put("log.jsonl")

    def stop(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(loads, "find_position", stop)
    for _ in range(3):
        with pytest.raises(KeyboardInterrupt):
            box.load()
    monkeypatch.undo()
    assert (box.faults(), box.models()) == ([], ["able"])


def test_a_full_disk_is_no_fault_of_a_file(box: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    box.put("log.jsonl.gz", gzip.compress((GOOD % "able").encode()))

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    for _ in range(2):  # it is named as long as it lasts
        assert box.faults() == ["log.jsonl.gz: No space left on device"]
    monkeypatch.undo()
    assert (box.faults(), box.models()) == ([], ["able"])


def test_a_fault_nobody_thought_of_is_one_file_s(box: Inbox, monkeypatch: pytest.MonkeyPatch) -> None:
    box.put("a.jsonl", GOOD % "odd")
    box.put("b.jsonl", GOOD % "good")
    find = loads.find_position

    def fail(connection: sqlite3.Connection, source: Any) -> Any:
        if source.name.endswith("a.jsonl"):
            raise RecursionError("too deep")
        return find(connection, source)

    monkeypatch.setattr(loads, "find_position", fail)
    (fault,) = box.faults()
    assert fault.startswith("a.jsonl cannot be read: RecursionError: too deep")
    assert (box.models(), box.faults()) == (["good"], [])


def test_a_broken_input_of_each_kind_leaves_the_others(site: Site, tmp_path: Path) -> None:
    (tmp_path / "nested.json").write_text("[" * 100_000)
    (tmp_path / "no.db").write_text("{" * 100_000)
    site.put("good.jsonl", lines([outcome()]))
    summary = site.run("--legacy-json", tmp_path / "nested.json", "--uok", tmp_path / "no.db", exits=2)
    assert [fault.partition(" is not ")[0] for fault in summary["faults"]] == [
        f"{tmp_path}/nested.json", f"{tmp_path}/no.db",
    ]  # fmt: skip
    assert (summary["accepted"], summary["published"] is None) == (1, False)


def test_a_step_that_fails_in_a_new_way_leaves_the_others(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from model_outcomes.job import run

    def fail(*_: Any) -> None:
        raise OverflowError("date value out of range")

    monkeypatch.setattr(legacy, "import_file", fail)
    site.put("good.jsonl", lines([outcome()]))
    monkeypatch.setattr("model_outcomes.warehouse.builds.run_dbt", without_dbt.run_dbt)
    for name, value in {"OUTCOMES_RUNS": site.runs, "HOME": site.folder}.items():
        monkeypatch.setenv(name, str(value))
    options = run.Options(inbox=site.inbox, legacy_json=site.folder / "old.json", report=False)
    summary = run.run(site.database, options)
    (fault,) = summary.faults
    assert fault.startswith("the input of the step legacy cannot be read: OverflowError: date value out of range")
    assert (summary.exit_code, summary.accepted) == (2, 1)


def test_refused_lines_stay_in_view_after_the_run_that_refused_them(site: Site) -> None:
    site.put("log.jsonl", lines([outcome(), outcome(success=None), outcome(success=3)]))
    first = site.run(exits=3)
    process = site.loader("run", "--inbox", "inbox")
    again = json.loads(process.stdout)
    for summary in (first, again):
        assert (summary["unresolved_rejects"]["lines"], summary["unresolved_rejects"]["files"]) == (
            2, [f"{site.inbox}/log.jsonl"],
        )  # fmt: skip
    assert "2 lines were rejected since " in process.stderr
    assert "WARN  rejected lines: Rejected lines. 2 lines " in site.loader("doctor").stdout
    listed = site.loader("rejects").stdout
    assert f"load 1: {site.inbox}/log.jsonl, " in listed
    assert "  1 x success: is null (no verdict)\n  1 x success: expected true or false\n  line 2: {" in listed
    assert site.loader("rejects", "--forget", "1").stdout == "2 rejected lines forgotten\n"
    assert site.loader("rejects").stdout == "no rejected lines\n"
    assert site.run()["unresolved_rejects"]["lines"] == 0

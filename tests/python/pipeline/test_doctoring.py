"""`loader doctor`: what is off is said, with what to do; and `loader backup` takes a whole copy beside writers."""

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

from model_outcomes.care import doctor

from .conftest import PATIENCE, Site, ago, lines, outcome, wait_for


def findings(site: Site, exits: int = 0) -> dict[str, dict]:
    report = json.loads(site.loader("doctor", "--json", exits=exits).stdout)
    found = {finding["check"]: finding for finding in report["findings"]}
    assert len(found) == len(report["findings"])
    return found


def test_a_sound_site_has_nothing_to_do_but_what_the_data_ask_for(run_once) -> None:
    site, summary, _ = run_once
    found = findings(site)
    off = {name: finding["next_step"] for name, finding in found.items() if finding["status"] != "ok"}
    assert set(off) == {"degenerate", "rejected lines", "missing timeouts", "unpriced"}
    assert all(off.values())
    assert found["last run"]["details"]["run_id"] == summary["run_id"]
    assert found["file"]["details"]["size_bytes"] == site.database.stat().st_size
    assert [place["task_type"] for place in found["degenerate"]["details"]["places"]] == ["always"]
    assert [place["figures"]["lines"] for place in found["rejected lines"]["details"]["places"]] == [1]
    unpriced = {(place["model_id"], place["figures"]["unpriced_trials"])
                for place in found["unpriced"]["details"]["places"]}  # fmt: skip
    assert unpriced == {("weak", 149), ("m0", 40), ("m1", 40), ("m2", 40)}
    assert found["lock"]["message"] == "not held"
    text = site.loader("doctor").stdout
    assert "WARN  rejected lines: Rejected lines. 1 line could not be read as an outcome and is in no figure." in text
    assert "-> Correct the program that wrote them" in text


def test_unknown_names_and_old_news_are_findings(ran: Site) -> None:
    with closing(sqlite3.connect(ran.database)) as log, log:
        log.execute("update run_history set started_at = ?", (ago(days=5),))
        log.execute("insert into incumbents (task_type, model_id) values ('code', 'typo')")
    more = [outcome(success=False, error_type="new_kind"), outcome(model_id="We-ak")]
    ran.put("more.jsonl", lines(more))
    ran.loader("load", ran.inbox / "more.jsonl")
    found = findings(ran)
    assert found["unknown error types"]["details"]["figures"]["error_types"] == {"new_kind": 1}
    (absent,) = found["unrecorded names"]["details"]["places"]
    assert (absent["model_id"], absent["figures"]) == ("typo", {"seed": "incumbents"})
    twins = [list(place["figures"]["trials"]) for place in found["twin names"]["details"]["places"]]
    assert twins == [["=able", "able"], ["We-ak", "weak"]]
    assert found["last run"]["status"] == "warning"
    assert "stale" not in found


def test_a_failed_run_and_a_waiting_spool_are_told(site: Site) -> None:
    site.put("bad.jsonl", b"\0")
    summary = site.run("--no-publish", exits=2)
    Path(f"{site.database}.spool.jsonl").write_text(lines([outcome()]))
    found = findings(site, exits=1)
    assert found["last run"]["status"] == "error"
    assert summary["run_id"] in found["last run"]["next_step"]
    assert found["spool"]["details"]["size_bytes"] == len(lines([outcome()]))


def test_what_is_no_database_or_none_yet_is_one_finding_and_no_traceback(site: Site) -> None:
    assert findings(site, exits=1)["file"]["next_step"].endswith("loader init")
    site.database.write_bytes(b"not a database at all" * 1000)
    assert "docs/guides/recovery.md" in findings(site, exits=1)["integrity"]["next_step"]
    site.database.unlink()
    site.loader("init")
    found = findings(site)
    assert found["last run"]["status"] == found["stale"]["status"] == "warning"
    assert found["not checked"]["next_step"] == "Run loader build."


def test_a_damaged_page_is_found(ran: Site) -> None:
    ran.loader("backup", "copy.db")
    content = bytearray((ran.folder / "copy.db").read_bytes())
    size = int.from_bytes(content[16:18], "big")
    for start in range(2 * size, len(content), 7 * size):
        content[start + 8 : start + 200] = b"\xff" * 192
    ran.database.write_bytes(content)
    for beside in ("-wal", "-shm"):
        Path(f"{ran.database}{beside}").unlink(missing_ok=True)
    assert findings(ran, exits=1)["integrity"]["status"] == "error"


def test_a_network_disk_is_known_by_its_mount(tmp_path: Path) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"/dev/x / ext4 rw 0 0\nserver:/y {tmp_path} nfs4 rw 0 0\nz {tmp_path}x cifs rw 0 0\n")
    assert doctor._file_system(tmp_path / "deep", mounts) == "nfs4"
    assert doctor._file_system(Path("/"), mounts) == "ext4"
    assert "nfs4".startswith(doctor.NETWORK_FILE_SYSTEMS)


WRITER = """
import sys
from model_outcomes import ModelOutcomes
with ModelOutcomes(sys.argv[1]) as log:
    for number in range(100_000):
        log.record("code", "able", True, duration_ms=number)
        print(number, flush=True)
"""


def test_a_backup_beside_a_writer_is_one_moment_and_one_file(site: Site) -> None:
    site.loader("init")
    writer = subprocess.Popen([sys.executable, "-c", WRITER, site.database], stdout=subprocess.PIPE, text=True)
    assert writer.stdout
    for _ in range(50):
        writer.stdout.readline()
    site.loader("backup", "backups/copy.db")
    assert writer.poll() is None, "it wrote all the while"
    writer.kill()
    last = [*writer.stdout][-1]
    writer.wait(PATIENCE)
    copy = site.folder / "backups" / "copy.db"
    assert [path.name for path in copy.parent.iterdir()] == ["copy.db"]
    ((count, highest),) = site.query("select count(*), max(duration_ms) from model_outcomes", path=copy)
    assert 50 <= count == highest + 1 <= int(last) + 1
    assert site.query("pragma journal_mode", path=copy) == [("delete",)]
    assert site.query("pragma integrity_check", path=copy) == [("ok",)]


def test_a_backup_removes_what_a_killed_one_left(site: Site) -> None:
    site.loader("init")
    killed, at_work, of_another = (site.folder / name for name in (
        ".copy.db.1.unfinished", ".copy.db.2.unfinished", ".other.db.1.unfinished"
    ))  # fmt: skip
    for file in (killed, at_work, of_another):
        file.touch()
    for file in (killed, of_another):
        os.utime(file, (0, 0))
    site.loader("backup", "copy.db")
    assert [file.exists() for file in (killed, at_work, of_another)] == [False, True, True]


def test_a_backup_replaces_an_older_one_and_nothing_else(site: Site) -> None:
    site.loader("init")
    site.loader("backup", "copy.db")
    site.put("log.jsonl", lines([outcome()]))
    site.loader("load", site.inbox / "log.jsonl")
    site.loader("backup", "copy.db")
    assert site.query("select count(*) from model_outcomes", path=site.folder / "copy.db") == [(1,)]
    (site.folder / "letter.txt").write_text("dear reader")
    assert "no backup of a log" in site.loader("backup", "letter.txt", exits=2).stderr
    assert (site.folder / "letter.txt").read_text() == "dear reader"
    assert "the database itself" in site.loader("backup", site.database, exits=2).stderr
    assert "is a folder" in site.loader("backup", site.inbox, exits=2).stderr
    assert not list(site.folder.glob(".*unfinished*"))


def test_a_killed_backup_leaves_the_older_one(site: Site) -> None:
    site.put("log.jsonl", lines([outcome(task_id="x" * 400) for _ in range(30_000)]))
    site.loader("load", site.inbox / "log.jsonl")
    site.loader("backup", "copy.db")
    before = (site.folder / "copy.db").read_bytes()
    process = site.start("backup", "copy.db")
    wait_for(lambda: process.poll() is not None or list(site.folder.glob(".copy.db.*.unfinished")), "a copy")
    process.kill()
    process.wait(PATIENCE)
    assert (site.folder / "copy.db").read_bytes() == before

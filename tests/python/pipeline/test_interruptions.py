"""Whatever ends a run in the middle: the lock is free, nothing is half published, the next run goes on."""

import json
import shutil
import signal
import threading
from pathlib import Path

import pytest

from .conftest import PATIENCE, Site, lines, outcome, wait_for

# Seeds have no tests of their own there: this dbt model alone takes a while, in one statement.
SLOW = """
    with recursive numbers (number) as (select 1 union all select number + 1 from numbers where number < 60000000)
    select max(number) as number from numbers
"""


@pytest.fixture
def slow_site(once_run: Path, tmp_path: Path) -> Site:
    """Has run once; its next build takes long."""
    shutil.copytree(once_run, tmp_path, dirs_exist_ok=True)
    site = Site(tmp_path / "a site", tmp_path / "project")
    (site.project / "models" / "slow.sql").write_text("{{ config(materialized='table') }}" + SLOW)
    site.put("second.jsonl", lines([outcome(), outcome()]))
    return site


def start_and_wait_for_dbt(site: Site):
    """A run whose dbt is at work on the slow dbt model."""
    process = site.start("run", "--inbox", "inbox")
    said: list[str] = []
    reader = threading.Thread(target=lambda: said.extend(iter(process.stderr.readline, "")))
    reader.start()
    wait_for(lambda: any("START" in line and "slow" in line for line in said) or process.poll() is not None, "slow")
    assert process.poll() is None, "".join(said)
    return process, said, reader


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_stops_it_cleanly(slow_site: Site, number: int, code: int) -> None:
    before = slow_site.files()
    process, said, reader = start_and_wait_for_dbt(slow_site)
    process.send_signal(number)
    stdout = process.stdout.read()
    assert process.wait(PATIENCE) == code, "".join(said)
    reader.join()
    summary = json.loads(stdout)
    assert (summary["status"], summary["exit_code"], summary["accepted"]) == ("interrupted", code, 2)
    assert "Traceback" not in "".join(said)
    assert slow_site.files() == before
    assert slow_site.query("select status from run_history order by run_id desc limit 1") == [("interrupted",)]
    assert slow_site.query("pragma integrity_check") == [("ok",)]
    (slow_site.project / "models" / "slow.sql").unlink()
    again = slow_site.run()
    assert (again["accepted"], again["published"]["marts"]) == (0, 7)
    assert slow_site.query("select trials from model_stats", path=slow_site.published / "model_outcomes.db") == [(3,)]


def test_after_sigkill_the_next_run_goes_on_and_says_that_one_was_killed(slow_site: Site) -> None:
    before = slow_site.files()
    process, _, reader = start_and_wait_for_dbt(slow_site)
    process.kill()
    process.wait(PATIENCE)
    reader.join(PATIENCE)  # its dbt held the other end of the pipe, and has ended with it
    assert not reader.is_alive()
    assert slow_site.files() == before
    (slow_site.project / "models" / "slow.sql").unlink()
    assert slow_site.run()["status"] == "succeeded"
    statuses = slow_site.query("select status from run_history order by run_id")
    assert statuses == [("succeeded",), ("killed",), ("succeeded",)]


def test_of_two_runs_at_once_one_is_busy_and_a_patient_one_waits(slow_site: Site) -> None:
    process, _, reader = start_and_wait_for_dbt(slow_site)
    half = slow_site.published / ".unfinished" / "half"
    half.parent.mkdir(parents=True)
    half.touch()
    done = slow_site.loader("run", exits=75)
    assert half.exists(), "what the other run is writing was taken away"
    summary = json.loads(done.stdout)
    assert (summary["status"], summary["run_id"]) == ("busy", None)
    assert f"a run (process {process.pid}" in summary["faults"][0]
    assert f"process {process.pid}" in slow_site.loader("build", exits=75).stderr
    (lock,) = [each for each in json.loads(slow_site.loader("doctor", "--json").stdout)["findings"]
               if each["check"] == "lock"]  # fmt: skip
    assert lock["details"]["build"]["pid"] == process.pid
    assert lock["details"]["build"]["since"].endswith("Z")
    assert json.loads(slow_site.loader("run", "--dry-run").stdout)["held_by"]["pid"] == process.pid
    patient = slow_site.start("run", "--wait", 100)
    (slow_site.project / "models" / "slow.sql").unlink()
    process.terminate()
    process.wait(PATIENCE)
    stdout, stderr = patient.communicate(timeout=PATIENCE)
    reader.join()
    assert patient.returncode == 0, stderr
    assert json.loads(stdout)["status"] == "succeeded"


def test_runs_started_at_the_same_moment_load_each_line_once(dbt_site: Site) -> None:
    site = dbt_site
    site.put("log.jsonl", lines([outcome() for _ in range(500)]))
    processes = [site.start("run", "--inbox", "inbox", "--wait", 100) for _ in range(3)]
    said = [process.communicate(timeout=PATIENCE) for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0], said
    assert sorted(json.loads(stdout)["accepted"] for stdout, _ in said) == [0, 0, 500]
    assert site.query("select count(*) from model_outcomes") == [(500,)]

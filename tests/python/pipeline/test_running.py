"""`loader run`: what it takes in, finds, says and leaves, and the exit codes that a scheduler looks at."""

import json
import shutil
import sqlite3
from contextlib import closing

import pytest

from model_outcomes.job import run
from model_outcomes.warehouse import builds

from .conftest import Site, ago, lines, outcome


def test_one_run_loads_builds_tests_and_publishes(run_once) -> None:
    site, summary, log = run_once
    assert (summary["status"], summary["accepted"], summary["rejected"]) == ("succeeded", 420, 1)
    assert summary["build"]["nodes"] > 50
    assert summary["build"]["failures"] == []
    assert site.query("select count(*) from model_outcomes") == [(420,)]
    assert site.query("select sum(trials) from model_stats", path=site.published / "model_outcomes.db") == [(420,)]
    assert "\x1b" not in log
    assert "START sql table model main.model_rankings" in log


def test_its_row_and_its_folder_say_what_the_summary_says(run_once) -> None:
    site, summary, _ = run_once
    folder = site.runs / summary["run_id"]
    assert json.loads((folder / "summary.json").read_text()) == summary
    results = json.loads((folder / "run_results.json").read_text())["results"]
    # dbt lists exposures, of which there is nothing to run, and hooks.
    kinds = [each["unique_id"].partition(".")[0] for each in results]
    assert "exposure" in kinds
    assert len(kinds) - kinds.count("exposure") - kinds.count("operation") == summary["build"]["nodes"]
    (reject,) = [json.loads(line) for line in (folder / "rejects.jsonl").read_text().splitlines()]
    assert reject["line_number"] == 1
    assert "perhaps" in reject["raw_text"]
    assert site.query(
        "select run_id, status, exit_code, accepted_count, rejected_count, is_published, degenerate_count"
        " from run_history"
    ) == [(summary["run_id"], "succeeded", 0, 420, 1, 1, 1)]


def test_it_finds_what_should_worry_somebody(run_once) -> None:
    findings = run_once[1]["findings"]
    assert [row["task_type"] for row in findings["degenerate"]] == ["always"]
    assert [(row["task_type"], row["model_id"]) for row in findings["demotion"]] == [("code", "weak")]
    assert findings["stale"] == []


def test_everything_is_new_to_the_first_run(run_once) -> None:
    changes = run_once[1]["changes"]
    assert changes["since"] is None
    assert changes["new_models"] == ["=able", "m0", "m1", "m2", "weak"]
    assert changes["new_task_types"] == ["always", "code"]


def test_the_next_run_says_what_changed_since(ran: Site) -> None:
    before = ran.query("select run_id from run_history")[0][0]
    ran.put("more.jsonl", lines([outcome(model_id="star", timestamp=ago(days=1)) for _ in range(400)]))
    summary = ran.run("--fail-on", "degenerate, stale", exits=1)
    changes = summary["changes"]
    assert changes["since"] == before
    assert (changes["new_models"], changes["new_task_types"]) == (["star"], [])
    assert changes["new_leaders"] == [{"task_type": "code", "model_id": "star", "previous_model_id": "=able"}]
    assert changes["new_demotion_candidates"] == []
    assert summary["inbox"]["known"] == 2
    assert [file["accepted"] for file in summary["inbox"]["loaded"]] == [400]
    # A finding that --fail-on names is the exit code, and what passed its tests is published all the same.
    assert "degenerate" in summary["faults"][0]
    assert summary["published"]["marts"] == len(list((ran.published / "csv").iterdir()))
    again = ran.run()["changes"]
    assert not any(value for name, value in again.items() if name != "since")
    assert ran.query("select count(*), sum(state is not null) from run_history") == [(3, 1)]


def test_a_bad_file_blocks_no_other_and_is_told_once(site: Site) -> None:
    site.put("a-bad.jsonl", b"\0\1\2")
    site.put("b-good.jsonl", lines([outcome()]))
    site.put("c-half.json.gz", b"\x1f\x8b\x08\0")
    site.put("d.jsonl.part", lines([outcome()]))
    site.put(".hidden.jsonl", lines([outcome()]))
    site.put("notes.txt", "nothing to load")
    growing = [outcome(model_id=f"m{number}") for number in range(3)]
    site.put("e-growing.jsonl", lines(growing[:2]) + lines(growing[2:])[:20])
    summary = site.run(exits=2)
    inbox = summary["inbox"]
    assert summary["accepted"] == 3
    assert summary["faults"] == [f"{site.inbox}/a-bad.jsonl is binary, not jsonl"]
    assert inbox["being_written"] == [f"{site.inbox}/c-half.json.gz", f"{site.inbox}/d.jsonl.part"]
    assert inbox["ignored"] == [f"{site.inbox}/notes.txt"]
    assert [file["has_unfinished_line"] for file in inbox["loaded"]] == [False, True]
    site.put("c-half.json.gz", b"\x1f\x8b\x08\0", age=3600)  # nobody is at work on it any more
    site.put("e-growing.jsonl", lines(growing))
    again = site.run(exits=2)
    assert (again["accepted"], again["inbox"]["known"]) == (1, 1)
    assert [fault.partition(":")[0] for fault in again["faults"]] == [f"{site.inbox}/c-half.json.gz"]
    assert list(again["inbox"]["faulty"]) == [f"{site.inbox}/a-bad.jsonl"]


def test_too_many_rejects_are_exit_3_and_are_not_counted_again(site: Site) -> None:
    site.put("log.jsonl", lines([outcome(), outcome(success=None)]))
    summary = site.run(exits=3)
    assert (summary["accepted"], summary["rejected"], summary["published"] is None) == (1, 1, False)
    assert site.run()["rejected"] == 0


def test_a_failing_dbt_test_publishes_nothing_and_says_what_still_stands(dbt_site: Site) -> None:
    site = dbt_site
    site.put("log.jsonl", lines([outcome(model_id="weak")]))
    last = site.run()["run_id"]
    before = site.files()
    test = site.project / "tests" / "singular" / "assert_nobody_is_weak.sql"
    test.parent.mkdir()
    test.write_text("select 1 from {{ ref('model_stats') }} where model_id = 'weak'")
    site.put("more.jsonl", lines([outcome(success="x")]))
    summary = site.run(exits=1)
    assert [failure["name"] for failure in summary["build"]["failures"]] == ["assert_nobody_is_weak"]
    assert "assert_nobody_is_weak" in summary["faults"][0]
    assert f"{site.published} still holds run {last}" in summary["faults"][-1]
    assert site.files() == before
    assert site.query("select status, is_published from run_history order by run_id desc limit 1") == [("failed", 0)]
    test.unlink()
    (site.project / "models" / "broken.sql").write_text("select * from {{ ref('no_such_model') }}")
    summary = site.run(exits=1)
    assert "no_such_model" in " ".join(summary["faults"])
    assert summary["build"]["nodes"] == 0, "the results of the run before are not this one's"
    assert site.files() == before
    shutil.rmtree(site.project / "models" / "marts")
    (site.project / "models" / "broken.sql").unlink()
    assert "dbt ran nothing" in site.run(exits=1)["faults"][0]
    assert site.files() == before


def test_an_empty_log_is_published_and_stale_and_so_is_a_silent_one(dbt_site: Site) -> None:
    summary = dbt_site.run()
    assert (summary["accepted"], summary["published"] is None) == (0, False)
    assert [row["newest_at"] for row in summary["findings"]["stale"]] == [None]
    dbt_site.put("old.jsonl", lines([outcome(timestamp=ago(days=3))]))
    (stale,) = dbt_site.run("--fail-on", "stale", exits=1)["findings"]["stale"]
    assert (stale["source"], stale["status"]) == ("model_outcomes.model_outcomes.model_outcomes", "warn")
    assert 3 * 86_400 <= stale["age_seconds"] < 3 * 86_400 + 600


def test_only_the_last_folders_are_kept(site: Site) -> None:
    for number in range(5):
        (site.runs / f"20260101T00000{number}.000Z").mkdir(parents=True)
    (site.runs / "mine").mkdir()
    summary = site.run("--keep-runs", 2)
    assert sorted(path.name for path in site.runs.iterdir())[-2:] == [summary["run_id"], "mine"]
    assert len(list(site.runs.iterdir())) == 3


def test_runs_lists_the_last_ones(run_once) -> None:
    site, summary, _ = run_once
    (row,) = json.loads(site.loader("runs", "--json").stdout)
    assert (row["run_id"], row["accepted_count"]) == (summary["run_id"], 420)
    assert summary["run_id"] in site.loader("runs").stdout


def test_a_dry_run_changes_nothing(site: Site) -> None:
    site.put("log.jsonl", lines([outcome()]))
    site.put("half.jsonl.tmp", "")
    plan = json.loads(site.loader("run", "--inbox", "inbox", "--dry-run").stdout)
    assert plan["inbox"] == {"being_written": [f"{site.inbox}/half.jsonl.tmp"], "new": [f"{site.inbox}/log.jsonl"]}
    assert (plan["is_new_database"], plan["publish"]) == (True, str(site.published))
    assert sorted(path.name for path in site.folder.iterdir()) == ["inbox"]


def test_what_waits_in_the_spool_comes_in_once(site: Site) -> None:
    site.loader("init")
    with closing(sqlite3.connect(site.database, isolation_level=None)) as other:
        other.execute("begin immediate")
        site.loader("record", "--task-type", "code", "--model-id", "able", "--success", OUTCOMES_BUSY_TIMEOUT="0.1")
        other.execute("rollback")
    waiting = json.loads(site.loader("run", "--dry-run").stdout)["spool"]
    assert waiting == [f"{site.database}.spool.jsonl"]
    summary = site.run()
    assert (summary["accepted"], summary["spool"]["files"]) == (1, waiting)
    assert site.run()["spool"]["accepted"] == 0
    assert site.query("select count(*) from model_outcomes") == [(1,)]


def test_older_json_is_found_by_itself(site: Site) -> None:
    (site.folder / ".sf").mkdir()
    cells = {"code": {"old": {"successes": 42, "failures": 3}, "bad": {"successes": -1, "failures": 0}}}
    (site.folder / ".sf" / "model-performance.json").write_text(json.dumps(cells))
    summary = site.run(exits=3)
    assert (summary["legacy"]["added"], summary["rejected"]) == (1, 1)
    assert site.query("select model_id, successes, failures from legacy_model_stats") == [("old", 42, 3)]
    assert site.run()["rejected"] == 0
    assert site.run("--legacy-json", "nothing.json", exits=2)["published"] is not None


def test_the_orchestrators_table_comes_along(site: Site) -> None:
    uok = site.folder / "uok.db"
    with closing(sqlite3.connect(uok)) as other:
        other.execute(
            "create table llm_task_outcomes (model_id text, unit_type text, unit_id text, succeeded integer,"
            " recorded_at integer)"
        )
        rows = [("able", "code", "1", 1, 1_780_000_000_000), ("able", "code", "2", 0, 1_780_000_000_000),
                ("able", "code", "3", "perhaps", 1_780_000_000_000)]  # fmt: skip
        other.executemany("insert into llm_task_outcomes values (?, ?, ?, ?, ?)", rows)
        other.commit()
    summary = site.run("--uok", uok, exits=3)
    assert (summary["uok"]["added"], summary["rejected"]) == (2, 1)
    assert site.query("select unit_id, succeeded from llm_task_outcomes order by 1") == [("1", 1), ("2", 0)]
    again = site.run("--uok", uok)
    assert (again["uok"]["skipped"], again["rejected"]) == (True, 0)
    with closing(sqlite3.connect(uok, isolation_level=None)) as other:
        other.execute("delete from llm_task_outcomes where unit_id = '1'")
        other.execute("begin exclusive")
        held = site.run("--uok", uok, exits=75, OUTCOMES_BUSY_TIMEOUT="0.1")
    assert (held["status"], held["faults"]) == ("failed", [f"{uok} is locked by another writer: try again later"])
    assert held["published"] is not None


def test_findings_that_are_named_fail_the_run_and_still_publish(site: Site) -> None:
    site.put("log.jsonl", lines([outcome(model_id="weak", success=False), outcome()]))
    for finding in ("demotion", "drift"):
        summary = site.run("--fail-on", finding, exits=1)
        assert summary["findings"]["drift"][0]["model_id"] == "weak"
        assert summary["faults"] == [named(finding)]
        assert summary["published"] is not None
    assert site.run("--fail-on", "degenerate")["exit_code"] == 0


def named(finding: str) -> str:
    """Return the fault of a run with one such finding."""
    return f"1 finding of the kind {finding}, which --fail-on names"


def test_an_incumbent_that_is_worse_than_the_leader_is_a_finding(site: Site) -> None:
    site.put("log.jsonl", lines([outcome(task_type="led", model_id="weak", success=False), outcome()]))
    summary = site.run("--fail-on", "demotion", exits=1)
    assert [(row["task_type"], row["model_id"]) for row in summary["findings"]["demotion"]] == [("led", "weak")]


def test_a_finding_that_is_new_fails_one_run_and_the_old_words_every_run(site: Site) -> None:
    new, old = ["new_demotion", "new_drift"], ["demotion", "drift"]
    site.put("log.jsonl", lines([outcome(model_id="weak", success=False), outcome()]))
    assert site.run("--fail-on", ",".join(new), exits=1)["faults"] == [*map(named, new)]
    again = site.run("--fail-on", ",".join(new))["findings"]
    assert all(again[name] for name in old)
    assert site.run("--fail-on", ",".join([*old, *new]), exits=1)["faults"] == [*map(named, old)]
    site.put("more.jsonl", lines([outcome(model_id="weaker", success=False)]))
    assert site.run("--fail-on", ",".join(new), exits=1)["faults"] == [*map(named, new)]


def test_a_verdict_is_new_when_it_comes_and_when_it_goes(site: Site) -> None:
    site.put("log.jsonl", lines([outcome()] * 1000))
    first = site.run("--fail-on", "new_verdict", exits=1)
    assert [row["verdict"] for row in first["changes"]["new_verdicts"]] == ["challenger_better"]
    assert site.run("--fail-on", "new_verdict")["changes"]["new_verdicts"] == []
    site.put("failed.jsonl", lines([outcome(success=False)]))
    gone = site.run("--fail-on", "new_verdict", exits=1)
    assert [row["verdict"] for row in gone["changes"]["new_verdicts"]] == ["was_challenger_better"]
    assert site.run("--fail-on", "new_verdict")["exit_code"] == 0


def test_a_verdict_that_was_over_before_the_first_run_is_no_news(site: Site) -> None:
    site.put("log.jsonl", lines([outcome()] * 1000 + [outcome(success=False)]))
    assert site.run("--fail-on", "new_verdict")["changes"]["new_verdicts"] == []


def test_new_advice_is_told_once(site: Site) -> None:
    site.put("log.jsonl", lines([outcome()]))
    (advice,) = site.run()["changes"]["new_recommendations"]
    assert (advice["task_type"], advice["action"], advice["model_id"]) == ("code", "keep", "able")
    assert site.run()["changes"]["new_recommendations"] == []
    site.put("more.jsonl", lines([outcome(model_id="baker")] * 2))
    (advice,) = site.run()["changes"]["new_recommendations"]
    assert advice["model_id"] == "baker"


def test_an_inbox_that_is_not_there_is_exit_2_and_the_rest_is_done(site: Site) -> None:
    done = site.loader("run", "--inbox", "nowhere", exits=2)
    summary = json.loads(done.stdout)
    assert "nowhere cannot be read" in summary["faults"][0]
    assert summary["published"] is not None


def test_a_folder_of_another_database_is_not_published_to(ran: Site, tmp_path) -> None:
    other = Site(tmp_path / "other", ran.project)
    summary = other.run("--publish", ran.published, exits=2)
    assert f"is the snapshot of {ran.database}" in summary["faults"][0]


def test_a_quiet_run_says_what_is_wrong_and_nothing_else(dbt_site: Site) -> None:
    site = dbt_site
    site.put("log.jsonl", lines([outcome()]))
    done = site.loader("run", "--inbox", "inbox", "--quiet")
    assert done.stderr == ""
    folder = site.runs / json.loads(done.stdout)["run_id"]
    assert "START sql table model main.model_rankings" in (folder / "dbt.log").read_text()
    (site.folder / "outcomes.toml").write_text("quiet = true\n")
    test = site.project / "tests" / "singular" / "assert_nobody_is_able.sql"
    test.parent.mkdir()
    test.write_text("{{ config(severity='warn') }} select 1 from {{ ref('model_stats') }} where model_id = 'able'")
    site.put("bad.jsonl", lines([outcome(success=None)]))
    told = site.loader("run", "--inbox", "inbox", "--max-rejects", 1).stderr
    assert "WARN 1 assert_nobody_is_able" in told
    assert "bad.jsonl: 0 accepted, 0 duplicates, 1 rejected" in told
    assert "START" not in told
    assert "log.jsonl" not in told


def test_a_run_is_quiet_by_its_file_its_variable_or_its_option(site: Site) -> None:
    assert "START" in site.loader("run").stderr
    assert site.loader("run", OUTCOMES_QUIET="yes").stderr == ""
    (site.folder / "outcomes.toml").write_text("quiet = true\n")
    assert site.loader("run").stderr == ""
    assert "START" in site.loader("run", "--no-quiet").stderr


def test_the_seconds_of_a_build_are_those_that_passed(database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nodes run two at a time: their seconds add up to more."""
    nodes = [builds.Node(name, "error", 600.0, None) for name in ("a", "b")]
    monkeypatch.setattr("model_outcomes.job.dbt_step.build", lambda *_, **__: (builds.CommandResult(("build",)), None))
    monkeypatch.setattr("model_outcomes.warehouse.builds.nodes", lambda *_: nodes)
    summary = run.run(database, run.Options())
    assert (summary.exit_code, summary.build.nodes) == (1, 2)
    assert 0 <= summary.build.seconds <= summary.seconds < 600
    with closing(sqlite3.connect(database)) as log:
        assert log.execute("select dbt_seconds from run_history").fetchall() == [(summary.build.seconds,)]

"""A data test of all rules of a table is one node of dbt, and names each rule by a line and in a file."""

import json
from pathlib import Path
from typing import Any

import pytest

from .conftest import Site, lines, outcome

RULES = """
models:
  - name: model_rankings
    data_tests:
      - rules:
          name: model_rankings_rules
          arguments:
            key: [task_type, model_id]
            not_null: [trials]
            accepted_values: {model_id: [able, weak]}
            conditions:
              no more successes than trials: successes <= trials
              fewer than three trials: trials < 3
"""


@pytest.fixture
def ruled(dbt_site: Site) -> Site:
    (dbt_site.project / "models" / "marts" / "_rules.yml").write_text(RULES)
    dbt_site.put("log.jsonl", lines([outcome(), outcome(model_id="weak", success=False)]))
    return dbt_site


def rules(folder: str) -> dict[str, tuple[str, int]]:
    listed: list[dict[str, Any]] = json.loads(Path(folder, "rules.json").read_text())
    assert {rule["table"] for rule in listed} == {"model_rankings", "model_stats"}
    assert {rule["test"].split(".")[2] for rule in listed} == {"model_rankings_rules", "model_stats_rules"}
    return {rule["rule"]: (rule["status"], rule["broken_rows"]) for rule in listed}


def test_each_rule_has_a_line_and_a_failing_one_is_named_everywhere(ruled: Site) -> None:
    done = ruled.loader("run", "--inbox", "inbox")
    names = [
        "not_null: task_type", "not_null: model_id", "not_null: trials", "accepted_values: model_id",
        "no more successes than trials", "fewer than three trials", "unique: task_type, model_id",
    ]  # fmt: skip
    for name in names:
        assert done.stderr.count(f"PASS model_rankings: {name}\n") == 1
    assert rules(json.loads(done.stdout)["folder"]) == dict.fromkeys(names, ("pass", 0))

    ruled.put(
        "more.jsonl", lines([outcome(model_id="weak", timestamp=f"2026-01-0{day}T00:00:00Z") for day in range(1, 4)])
    )
    ruled.put("other.jsonl", lines([outcome(model_id="a"), outcome(model_id="b")]))
    done = ruled.loader("run", "--inbox", "inbox", "--quiet", exits=1)
    summary = json.loads(done.stdout)
    broken = "accepted_values: model_id (2); fewer than three trials (1)"
    (failure,) = summary["build"]["failures"]
    assert failure == {"name": "model_rankings_rules", "status": "fail", "message": f"broken: {broken}"}
    assert f"model_rankings_rules (broken: {broken})" in summary["faults"][0]
    assert rules(summary["folder"]) == {
        **dict.fromkeys(names, ("pass", 0)),
        "accepted_values: model_id": ("fail", 2),
        "fewer than three trials": ("fail", 1),
    }
    assert "FAIL 2 model_rankings: accepted_values: model_id\n" in done.stderr
    assert "FAIL 1 model_rankings: fewer than three trials\n" in done.stderr
    assert "PASS model_rankings" not in done.stderr, "a quiet run names only what is wrong"

    done = ruled.loader("build", exits=1)
    assert f"model_rankings_rules (broken: {broken})" in done.stderr
    assert "PASS model_rankings: not_null: trials\n" in done.stdout


def test_a_run_with_nothing_new_builds_nothing_and_publishes_and_ages_all_the_same(ruled: Site) -> None:
    first = ruled.run()
    second = ruled.run()
    assert (first["build"]["skipped"], second["build"]["skipped"]) == (False, True)
    assert (second["build"]["nodes"], second["build"]["failures"], second["faults"]) == (0, [], [])
    assert second["findings"] == first["findings"]
    assert second["published"]["marts"] == first["published"]["marts"]
    assert not any(value for name, value in second["changes"].items() if name != "since")
    assert not Path(second["folder"], "dbt.log").exists(), "dbt was started"
    ages = [json.loads(Path(run["folder"], "sources.json").read_text())["results"][0] for run in (first, second)]
    assert ages[0]["max_loaded_at"] == ages[1]["max_loaded_at"]
    assert ages[1]["max_loaded_at_time_ago_in_s"] > ages[0]["max_loaded_at_time_ago_in_s"]
    done = ruled.loader("build")
    assert done.stderr.count("\n") + done.stdout.count("\n") == 1
    assert "nothing is new since the last build" in done.stderr + done.stdout
    ruled.put("more.jsonl", lines([outcome(timestamp="2026-01-01T00:00:00Z")]))
    third = ruled.run()
    assert (third["build"]["skipped"], third["accepted"]) == (False, 1)
    assert ruled.query("select sum(trials) from model_rankings") == [(3,)]

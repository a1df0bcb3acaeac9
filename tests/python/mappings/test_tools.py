"""Each shipped mapping gives the outcomes that a person would read out of the tool's files, traps included."""

import io
import json
import sqlite3
import sys
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

if sys.version_info < (3, 14):
    from backports.zstd import zipfile as zstd_zipfile
else:
    zstd_zipfile = zipfile

T = "2026-05-01T10:00:0"


def sample(number: int, value: Any, **fields: Any) -> dict[str, Any]:
    scores = {} if value is ... else {"match": {"value": value}, "other": {"value": "I"}}
    return {"id": number, "epoch": 1, "uuid": f"u{number}", "scores": scores, "total_time": 1.5, **fields}


def inspect_log(samples: list[dict[str, Any]], **header: Any) -> dict[str, Any]:
    return {
        "version": 2,
        "status": "success",
        "eval": {"task": "sums", "task_id": "T", "run_id": "R", "model": "lab/able-1.5", "solver": "react",
                 "task_registry_name": "sums", "created": f"{T}0+00:00",
                 "model_generate_config": {"reasoning_effort": "low"}},
        "plan": {"steps": []},
        "stats": {"started_at": f"{T}1+00:00"},
        **header,
        "samples": samples,
    }  # fmt: skip


def packed(log: dict[str, Any], library: Any, method: int) -> bytes:
    """Return a log as a .eval: its header, its summaries, and parts that must not be read."""
    header = {name: value for name, value in log.items() if name != "samples"}
    with io.BytesIO() as data:
        with library.ZipFile(data, "w", method) as archive:
            archive.writestr("samples/1_epoch_1.json", "not JSON")
            archive.writestr("reductions.json", "[]")
            archive.writestr("header.json", json.dumps(header))
            archive.writestr("summaries.json", json.dumps(log["samples"]))
        return data.getvalue()


USAGE = {"lab/able-1.5": {"input_tokens": 7, "output_tokens": 30, "total_tokens": 130, "input_tokens_cache_read": 60,
                          "total_cost": 0.25},
         "lab/grader": {"input_tokens": 900, "output_tokens": 90, "total_tokens": 990}}  # fmt: skip
SAMPLES = [
    sample(1, "C", model_usage=USAGE, started_at=f"{T}5+02:00"),
    sample(2, "P"),
    sample(3, 0.65),
    sample(4, float("nan")),
    sample(5, ..., error={"message": "docker"}),
    sample(6, "I", limit="token", epoch=2),
    sample(7, {"a": 1}),
    sample(8, True, uuid=None),
    sample(9, "C", invalidation={"reason": "broken task"}),
]


@pytest.mark.parametrize("kind", ["json", "deflated", "zstd"])
def test_inspect(files, rows, invoke, kind: str) -> None:
    log = inspect_log(SAMPLES)
    content: Any = log
    if kind == "deflated":
        content = packed(log, zipfile, zipfile.ZIP_DEFLATED)
    elif kind == "zstd":
        content = packed(log, zstd_zipfile, 93)
    path = files(**{"sums.json" if kind == "json" else "sums.eval": content})
    columns = "event_id, success, score, attempt, task_id, error_type, timestamp, input_tokens, cached_input_tokens"
    assert rows(columns, "inspect", path) == [
        ("T/8/1", 1, 1.0, 1, "sums/8", None, f"{T}1.000000Z", None, None),
        # Input is total minus output, of the model alone: versions differ in what input_tokens includes.
        ("u1", 1, 1.0, 1, "sums/1", None, "2026-05-01T08:00:05.000000Z", 100, 60),
        ("u2", 0, 0.5, 1, "sums/2", None, f"{T}1.000000Z", None, None),
        ("u3", 0, 0.65, 1, "sums/3", None, f"{T}1.000000Z", None, None),
        ("u6", 0, 0.0, 2, "sums/6", "limit_token", f"{T}1.000000Z", None, None),
    ]
    columns = "distinct task_type, model_id, agent, effort, duration_ms, max(cost_usd) over ()"
    assert rows(columns, "inspect", path) == [("sums", "lab/able-1.5", "react", "low", 1500, 0.25)]
    output = invoke("load", "--as", "inspect", path).output
    assert "0 accepted, 5 duplicates, 4 without a verdict (" in output
    for reason in ("1 sample_error", "1 invalidated", "1 score is null or NaN", "1 score is no verdict (object)"):
        assert reason in output


def test_inspect_takes_the_scorer_and_the_threshold_that_the_user_names(files, rows) -> None:
    path = files(**{"sums.json": inspect_log([sample(1, "C"), sample(2, 0.65)])})
    assert rows("success", "inspect", path, "--threshold", 0.5, "--scorer", "match") == [(1,), (1,)]
    other = files(**{"sums.json": inspect_log([sample(3, "C"), sample(4, 0.65)])})
    assert rows("success", "inspect", other, "--scorer", "other")[2:] == [(0,), (0,)]


def trial(number: int, is_resolved: bool | None, failure_mode: str, tokens: int | None = 0) -> dict[str, Any]:
    return {"id": f"t{number}", "task_id": "hello", "trial_name": f"hello.{number}-of-9.night",
            "is_resolved": is_resolved, "failure_mode": failure_mode,
            "total_input_tokens": tokens, "total_output_tokens": tokens,
            "trial_started_at": f"{T}{number}+00:00", "agent_started_at": f"{T}0+00:00",
            "agent_ended_at": f"{T}2.5+00:00"}  # fmt: skip


METADATA = {"run_id": "night", "agent_name": "aider", "agent_kwargs": {"version": "0.9"}, "dataset_name": "core",
            "model_name": "lab/able", "start_time": f"{T}0+00:00"}  # fmt: skip
TRIALS = [trial(1, True, "unset", 10), trial(2, True, "agent_timeout"), trial(3, False, "agent_timeout", None),
          trial(4, None, "parse_error"), trial(5, False, "unset")]  # fmt: skip


def test_terminal_bench_keeps_timeouts_of_solved_trials(files, rows, invoke) -> None:
    folder = files(**{"run/results.json": {"results": TRIALS, "resolved_ids": []}, "run/run_metadata.json": METADATA})
    columns = "event_id, success, timeout, error_type, attempt, tokens_used, input_tokens, agent, model_id, task_type"
    assert rows(columns, "terminal-bench", folder) == [
        ("t1", 1, 0, None, 1, 20, 10, "aider 0.9", "lab/able", "core"),
        ("t2", 1, 1, None, 2, 0, None, "aider 0.9", "lab/able", "core"),
        ("t3", 0, 1, "agent_timeout", 3, 0, None, "aider 0.9", "lab/able", "core"),
        ("t5", 0, 0, None, 5, 0, None, "aider 0.9", "lab/able", "core"),
    ]
    assert rows("distinct duration_ms, task_id", "terminal-bench", folder) == [(2500, "hello")]
    assert "1 without a verdict (1 parse_error)" in invoke("load", "--as", "terminal-bench", folder).output


def test_terminal_bench_counts_no_trial_by_its_own_file(files, rows, invoke) -> None:
    folder = files(**{"run/results.json": {"results": TRIALS[:1]}, "run/run_metadata.json": METADATA,
                      "run/hello/results.json": TRIALS[0], "run/hello/other/results.json": TRIALS[1]})  # fmt: skip
    assert rows("event_id", "terminal-bench", folder) == [("t1",)]


def test_terminal_bench_asks_for_the_model_that_an_own_agent_does_not_name(files, invoke, rows, query) -> None:
    folder = files(**{"results.json": {"results": TRIALS}, "run_metadata.json": {**METADATA, "model_name": None}})
    result = invoke("load", "--as", "terminal-bench", folder)
    assert (result.exit_code, "4 rows have no model_id: give --model-id" in result.output) == (2, True)
    assert query("select count(*) from load_history union all select count(*) from rejected_outcomes") == [(0,), (0,)]
    assert rows("distinct model_id", "terminal-bench", folder, "--model-id", "mine") == [("mine",)]


def promptfoo_result(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"p{number}", "testIdx": number, "promptIdx": 0, "promptId": "hash", "success": False, "failureReason": 1,
        "score": 0.5, "latencyMs": 90, "cost": 0.01, "provider": {"id": "lab:able", "label": ""},
        "prompt": {"raw": "secret prompt", "label": "secret prompt"},
        "response": {"tokenUsage": {"prompt": 3, "completion": 4}},
        "testCase": {"description": "greets", "vars": {"name": "secret"}}, **fields,
    }  # fmt: skip


RESULTS = [
    promptfoo_result(1, success=True, failureReason=0, prompt={"raw": "x", "label": "v2"}),
    promptfoo_result(2, error="Custom function threw error: SyntaxError"),
    promptfoo_result(3, response={"cached": True, "tokenUsage": {"cached": 7}}),
    promptfoo_result(4, cost=0, response={"output": ""}, failureReason=2),
    promptfoo_result(5, provider={"id": "file://run.py"}),
    promptfoo_result(5, id="p6"),
    promptfoo_result(5, id="p7"),
]
FOO = [
    ("p1", 1, "lab:able", 0.01, "provider", None, "v2", 1),
    ("p2", 0, "lab:able", 0.01, "provider", "grader_error", "hash", 1),
    ("p4", 0, "lab:able", 0.0, None, "provider_error", "hash", 1),
    ("p5", 0, "app", 0.01, "provider", None, "hash", 1),
    ("p6", 0, "lab:able", 0.01, "provider", None, "hash", 1),
    ("p7", 0, "lab:able", 0.01, "provider", None, "hash", 2),
]
FOO_COLUMNS = "event_id, success, model_id, cost_usd, cost_source, error_type, variant, attempt"


def test_promptfoo(files, rows, invoke, query) -> None:
    run = {"evalId": "e", "results": {"version": 3, "timestamp": f"{T}0.000Z", "prompts": [], "results": RESULTS,
                                      "stats": {}}, "config": {"description": "greetings"}}  # fmt: skip
    path = files(**{"results.json": run}) / "results.json"
    assert rows(FOO_COLUMNS, "promptfoo", path, "--model-id", "app") == FOO
    assert query("select distinct task_type, timestamp, duration_ms from model_outcomes") == [
        ("greetings", f"{T}0.000000Z", 90)
    ]
    output = invoke("load", "--as", "promptfoo", "--model-id", "app", path).output
    assert "1 without a verdict (1 response from the cache, no attempt)" in output


def test_promptfoo_by_its_lines_and_its_database(files, rows, tmp_path: Path) -> None:
    lines = files(**{"results.jsonl": RESULTS}) / "results.jsonl"
    options = ("--model-id", "app", "--task-type", "greetings")
    assert rows(FOO_COLUMNS, "promptfoo", lines, *options, "--timestamp", f"{T}0Z") == FOO
    database = tmp_path / "promptfoo.db"
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("create table evals (id text, description text, config text)")
        connection.execute("insert into evals values ('e', 'greetings', '{}')")
        names = {"testIdx": "test_idx", "promptId": "prompt_id", "failureReason": "failure_reason",
                 "latencyMs": "latency_ms", "testCase": "test_case", "promptIdx": "prompt_idx"}  # fmt: skip
        columns = [names.get(name, name) for name in [*RESULTS[0], "error"]]
        connection.execute(f"create table eval_results ({', '.join(columns)}, eval_id, created_at)")
        for number, result in enumerate(RESULTS):
            values = [result.get(name) for name in [*RESULTS[0], "error"]]
            texts = [json.dumps(value) if isinstance(value, dict) else value for value in values]
            texts[0] = f"d{texts[0]}"
            # CURRENT_TIMESTAMP, or milliseconds
            texts += ["e", "2026-05-01 10:00:00" if number else 1_777_629_600_000]
            connection.execute(f"insert into eval_results values ({', '.join('?' * len(texts))})", texts)
        connection.commit()
    stored = rows(f"{FOO_COLUMNS}, timestamp", "promptfoo", database, "--model-id", "app")
    assert stored[:6] == [(f"d{row[0]}", *row[1:], f"{T}0.000000Z") for row in FOO]


def test_swe_bench_joins_reports_predictions_and_trajectories(files, rows, invoke) -> None:
    folder = files(**{
        "lab__able-1.5.night.json": {
            "total_instances": 5, "submitted_instances": 5, "resolved_ids": ["a__a-1"], "unresolved_ids": ["a__a-2"],
            "empty_patch_ids": ["a__a-3"], "error_ids": ["a__a-4", "a__a-5"], "infra_failure_ids": ["a__a-5"]},
        "logs/run_evaluation/night/lab__able-1.5/a__a-2/report.json": {
            "a__a-2": {"resolved": False, "patch_exists": True, "patch_successfully_applied": False}},
        "preds.json": {"a__a-1": {"model_name_or_path": "lab/able-1.5", "model_patch": "diff"}},
        "a__a-1/a__a-1.traj.json": {"info": {"model_stats": {"instance_cost": 0.5, "api_calls": 7},
            "exit_status": "Submitted", "mini_version": "1.2", "config": {"model": {"model_name": "lab/able-1.5"}}}},
        "a__a-3/a__a-3.traj.json": {"info": {"model_stats": {"instance_cost": 0.0, "api_calls": 9},
            "exit_status": "LimitsExceeded", "config": {"model": {"model_name": "lab/able-1.5"}}}},
        "chat.traj.json": [{"role": "user", "content": "secret"}],
    })  # fmt: skip
    columns = "event_id, success, error_type, cost_usd, agent, json_extract(attributes, '$.api_calls'), model_id"
    event, time = "swe-bench/night/lab__able-1.5", ("--timestamp", "2026-05-01T10:00Z")
    assert rows(columns, "swe-bench", folder, *time) == [
        (f"{event}/a__a-1", 1, None, 0.5, "mini-swe-agent 1.2", 7, "lab/able-1.5"),
        (f"{event}/a__a-2", 0, "patch_not_applied", 0.0, None, None, "lab/able-1.5"),
        (f"{event}/a__a-3", 0, "empty_patch", 0.0, "mini-swe-agent", 9, "lab/able-1.5"),
        (f"{event}/a__a-5", 0, "infra_failure", 0.0, None, None, "lab/able-1.5"),
    ]
    assert "1 without a verdict (1 evaluation_error)" in invoke("load", "--as", "swe-bench", folder, *time).output
    missing = invoke("load", "--as", "swe-bench", folder)
    assert (missing.exit_code, "needs --timestamp (the time of the run, which no file has)" in missing.output) == (
        2,
        True,
    )


def test_swe_bench_pro_has_a_model_for_each_folder_or_file(files, rows) -> None:
    results = {"instance_a__b-1": True, "instance_a__b-2": False}
    folder = files(**{"able/eval_results.json": results, "weak_eval_results.json": results})
    columns = "model_id, task_id, success, task_type"
    assert rows(columns, "swe-bench", folder, "--timestamp", "2026-05-01T10:00Z") == [
        ("able", "instance_a__b-1", 1, "swe-bench-pro"),
        ("able", "instance_a__b-2", 0, "swe-bench-pro"),
        ("weak", "instance_a__b-1", 1, "swe-bench-pro"),
        ("weak", "instance_a__b-2", 0, "swe-bench-pro"),
    ]


def harbor_trial(number: int, **fields: Any) -> dict[str, Any]:
    usage = {"n_input_tokens": 100, "n_cache_tokens": 90, "n_output_tokens": 5, "cost_usd": None}
    return {
        "id": f"h{number}", "task_name": "fix", "trial_name": f"fix__{number}", "task_checksum": "c0ffee" * 4,
        "source": "tb2",
        "agent_info": {"name": "codex", "version": "1.2", "model_info": {"name": "able", "provider": None}},
        "config": {"agent": {"kwargs": {"reasoning_effort": "high"}}}, "agent_result": usage, "exception_info": None,
        "verifier_result": {"rewards": {"reward": 1.0}}, "reward_valid": True, "started_at": f"{T}0Z",
        "agent_execution": {"started_at": f"{T}0Z", "finished_at": f"{T}4Z"}, **fields,
    }  # fmt: skip


def harbor_error(name: str, is_of_model: bool) -> dict[str, Any]:
    return {"exception_type": name, "exception_message": "secret", "policy": {"has_valid_reward": is_of_model}}


def test_harbor_counts_valid_rewards_only(files, rows, invoke) -> None:
    step = {"step_name": "one", "agent_result": {"n_input_tokens": 8, "n_output_tokens": 1, "cost_usd": 0.5}}
    trials = [
        harbor_trial(1),
        harbor_trial(2, exception_info=harbor_error("AgentTimeoutError", True)),
        harbor_trial(3, verifier_result={"rewards": {"reward": 0.4}}),
        harbor_trial(4, exception_info=harbor_error("ApiRateLimitError", False), reward_valid=False),
        harbor_trial(5, verifier_result=None, reward_valid=False),
        harbor_trial(6, agent_result=None, step_results=[step, step]),
        harbor_trial(7, verifier_result={"rewards": {"speed": 1, "style": 1}}),
        harbor_trial(
            8, exception_info=harbor_error("AgentTimeoutError", True), verifier_result=None, reward_valid=False
        ),
    ]
    contents = {f"jobs/night/{each['trial_name']}/result.json": each for each in trials}
    folder = files(**contents, **{"jobs/night/result.json": {"id": "job", "stats": {}, "n_total_trials": 8}})
    columns = "event_id, success, timeout, error_type, score, input_tokens, cached_input_tokens, cost_usd"
    assert rows(columns, "harbor", folder) == [
        ("h1", 1, 0, None, 1.0, 100, 90, 0.0),
        ("h2", 1, 1, None, 1.0, 100, 90, 0.0),
        ("h3", 0, 0, None, 0.4, 100, 90, 0.0),
        ("h4", 0, 0, "ApiRateLimitError", None, 100, 90, 0.0),
        ("h6", 1, 0, None, 1.0, 16, None, 1.0),
        ("h8", 0, 1, "AgentTimeoutError", None, 100, 90, 0.0),
    ]
    output = invoke("load", "--as", "harbor", folder).output
    assert "2 without a verdict (" in output
    assert "1 no reward" in output
    assert "1 several rewards and none named reward" in output
    columns = "distinct task_type, model_id, agent, effort, task_id, duration_ms"
    assert rows(columns, "harbor", folder) == [("tb2", "able", "codex 1.2", "high", "fix@c0ffeec0ffee", 4000)]


def test_openhands_finds_the_verdict_of_a_benchmark_beside_its_output(files, rows, invoke) -> None:
    line = {
        "instance_id": "a__a-1", "test_result": {"git_patch": "diff"}, "error": None,
        "metadata": {"agent_class": "CodeAct", "start_time": "2026-01-01 12:00:00", "dataset": "swe",
                     "llm_config": {"model": "lab/able", "reasoning_effort": "high"}},
        "history": [{"timestamp": "2026-01-01T12:00:01", "args": {"openhands_version": "0.35.0"}},
                    {"timestamp": "2026-01-01T12:00:03.5"}],
        "metrics": {"accumulated_cost": 0.0, "accumulated_token_usage": {"model": "default", "prompt_tokens": 50,
                    "completion_tokens": 2, "cache_read_tokens": 20}},
    }  # fmt: skip
    lines = [line, {**line, "instance_id": "a__a-2"}, {**line, "instance_id": "a__a-3", "error": "STATUS$ERROR"}]
    folder = files(**{
        "output.jsonl": lines,
        "output.swebench_eval.jsonl": [{**lines[1], "test_result": {"report": {"resolved": False}}}],
        "report.json": {"resolved_ids": ["a__a-1"], "unresolved_ids": []},
    })  # fmt: skip
    columns = "task_id, success, model_id, agent, effort, timestamp, input_tokens, cached_input_tokens, cost_source"
    expected = ("lab/able", "OpenHands CodeAct 0.35.0", "high", "2026-01-01T11:00:00.000000Z", 50, 20, None)
    assert rows(columns, "openhands", folder, "--zone", "Europe/Berlin") == [
        ("a__a-1", 1, *expected),
        ("a__a-2", 0, *expected),
    ]
    assert rows("distinct duration_ms", "openhands", folder, "--zone", "Europe/Berlin") == [(2500,)]
    refused = invoke("load", "--as", "openhands", folder)
    assert (refused.exit_code, "2 rows have a time without an offset: give --zone" in refused.output) == (2, True)


def test_openhands_resolver_needs_the_model_and_the_time(files, rows, invoke) -> None:
    line = {"issue": {"owner": "a", "repo": "b", "number": 5}, "issue_type": "issue", "git_patch": "", "history": [],
            "success": True, "metrics": {"accumulated_cost": 0.25}, "error": None}  # fmt: skip
    path = files(**{"output.jsonl": [line]})
    assert invoke("load", "--as", "openhands", path).exit_code == 2
    options = ("--model-id", "able", "--timestamp", f"{T}0Z")
    assert rows("task_id, success, cost_usd, task_type", "openhands", path, *options) == [
        ("a/b#5", 1, 0.25, "issue resolver")
    ]


def test_tau2_reads_simulations_in_one_file_or_beside_it(files, rows, invoke) -> None:
    def simulation(number: int, reward: float | None, reason: str = "user_stop") -> dict[str, Any]:
        messages = [{"role": "assistant", "usage": {"prompt_tokens": 10, "completion_tokens": 2}}] * 2
        messages += [{"role": "user", "usage": {"prompt_tokens": 99, "completion_tokens": 9}}]
        return {"id": f"s{number}", "task_id": str(number), "trial": 1, "start_time": "2026-05-01T10:00:00.5",
                "duration": 2.5, "termination_reason": reason, "agent_cost": 0.5, "user_cost": 9.0,
                "reward_info": None if reward is None else {"reward": reward}, "messages": messages}  # fmt: skip

    info = {"agent_info": {"llm": "able", "implementation": "llm_agent", "llm_args": {"reasoning_effort": "low"}},
            "environment_info": {"domain_name": "airline"}}  # fmt: skip
    folder = files(**{
        "one.json": {"info": info, "simulations": [simulation(1, 1.0), simulation(2, 0.0, "max_steps")]},
        "voice/results.json": {"info": info, "simulations": []},
        "voice/simulations/s3.json": simulation(3, 1.0),
        "voice/simulations/s4.json": simulation(4, None, "infrastructure_error"),
    })  # fmt: skip
    columns = (
        "event_id, success, error_type, attempt, task_id, cost_usd, input_tokens, output_tokens, model_id, timestamp"
    )
    common = (0.5, 20, 4, "able", "2026-05-01T10:00:00.500000Z")
    assert rows(columns, "tau2", folder, "--zone", "UTC") == [
        ("s1", 1, None, 2, "airline/1", *common),
        ("s2", 0, "max_steps", 2, "airline/2", *common),
        ("s3", 1, None, 2, "airline/3", *common),
    ]
    output = invoke("load", "--as", "tau2", folder, "--zone", "UTC").output
    assert "1 without a verdict (1 infrastructure_error)" in output

"""The mappings of stores of traces and evaluations give what a person would read out of them, traps included."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

T = "2026-05-01T10:00:0"
MS = 1_777_629_600_000  # T0Z
COST = "iif(cost_source is null, null, cost_usd)"  # a cost without a source is unknown
FACTS = f"event_id, success, model_id, input_tokens, output_tokens, cached_input_tokens, {COST}, duration_ms, score"


@pytest.fixture
def theirs(tmp_path: Path) -> Callable[[str], Path]:
    """Make a database of another tool by statements."""

    def write(statements: str) -> Path:
        path = tmp_path / "theirs.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(statements)
        return path

    return write


def inserts(table: str, *rows: tuple[Any, ...]) -> str:
    def literal(cell: Any) -> str:
        return "'" + cell.replace("'", "''") + "'" if isinstance(cell, str) else "null" if cell is None else str(cell)

    return "".join(f"insert into {table} values ({', '.join(map(literal, row))});\n" for row in rows)


def usage(tokens: int, model: str) -> str:
    texts = {"mlflow.llm.model": json.dumps(model), "mlflow.chat.tokenUsage": json.dumps({"output_tokens": tokens})}
    return json.dumps({"attributes": texts})


MLFLOW = """
create table experiments (experiment_id, name);
create table params (key, value, run_uuid);
create table trace_request_metadata (key, value, request_id);
create table trace_metrics (request_id, key, value);
create table assessments (assessment_id, trace_id, name, assessment_type, value, error, last_updated_timestamp,
    source_type, overrides, valid);
create table trace_info (request_id, experiment_id, timestamp_ms, execution_time_ms, status$totals);
create table spans (trace_id, content$model);
""" + inserts("experiments", (1, "triage")) + inserts(
    "assessments",
    # The second overrides the first.
    ("a1", "t1", "correct", "feedback", "true", None, 1, "LLM_JUDGE", None, 0),
    ("a2", "t1", "correct", "feedback", "false", None, 2, "LLM_JUDGE", "a1", 1),
    # A person counts before a judge that came later.
    ("a3", "t2", "correct", "feedback", '"Yes"', None, 1, "HUMAN", None, 1),
    ("a4", "t2", "correct", "feedback", "false", None, 9, "LLM_JUDGE", None, 1),
    ("a5", "t3", "correct", "feedback", "null", '{"error_code": "X"}', 1, "LLM_JUDGE", None, 1),
    # An expectation is no verdict, and another name is another score.
    ("a6", "t4", "correct", "expectation", '"x"', None, 1, "HUMAN", None, 1),
    ("a7", "t4", "polite", "feedback", "true", None, 1, "HUMAN", None, 1),
    ("a8", "t5", "correct", "feedback", "0.4", None, 1, "CODE", None, 1),
)  # fmt: skip


@pytest.mark.parametrize("is_new", [True, False], ids=["columns of 3.18", "tables before"])
def test_mlflow(theirs, rows, invoke, is_new: bool) -> None:
    numbers = range(1, 6)
    traces: list[tuple[Any, ...]]
    if is_new:
        totals = ", session_id, input_tokens, output_tokens, cache_read_input_tokens, total_cost"
        text = MLFLOW.replace("$totals", totals).replace("$model", ", model_name")
        traces = [(f"t{n}", 1, MS + n, 40, "OK", None, 100 * n, 10 * n, 60, 0.5) for n in numbers]
        text += inserts("spans", ("t1", usage(1, "x"), "small"), ("t1", usage(9, "x"), "able"), ("t5", "{}", "able"))
    else:
        text = MLFLOW.replace("$totals", "").replace("$model", "")
        traces = [(f"t{n}", 1, MS + n, 40, "OK") for n in numbers]
        counts = [(f"t{n}", key, value * n) for n in numbers for key, value in
                  (("input_tokens", 100.0), ("output_tokens", 10.0))]  # fmt: skip
        text += inserts("trace_metrics", *counts, *((f"t{n}", "cache_read_input_tokens", 60.0) for n in numbers))
        text += inserts("spans", ("t1", usage(1, "small")), ("t1", usage(9, "able")), ("t5", usage(1, "able")))
        text += inserts("trace_request_metadata", ("mlflow.trace.cost", '{"total_cost": 0.5}', "t1"),
                        ("mlflow.trace.cost", '{"total_cost": 0.5}', "t2"),
                        ("mlflow.trace.cost", '{"total_cost": 0.5}', "t5"))  # fmt: skip
    text += inserts("trace_info", *traces) + inserts("params", ("model", "by-run", "R"))
    text += inserts("trace_request_metadata", ("mlflow.sourceRun", "R", "t2"))
    path = theirs(text)
    assert rows(FACTS, "mlflow", path, "--score", "correct") == [
        ("t1", 0, "able", 100, 10, 60, 0.5, 40, 0.0),
        ("t2", 1, "by-run", 200, 20, 60, 0.5, 40, None),
        ("t5", 0, "able", 500, 50, 60, 0.5, 40, 0.4),
    ]
    assert rows("distinct task_type, max(timestamp)", "mlflow", path, "--score", "correct") == [
        ("triage", f"{T}0.005000Z")
    ]
    output = invoke("load", "--as", "mlflow", path, "--score", "correct").output
    assert "2 without a verdict (1 judge_error, 1 no assessment of that name)" in output
    assert "mlflow needs --score" in invoke("load", "--as", "mlflow", path).output
    assert "load it with --as mlflow" in invoke("load", path).output


def test_a_mapping_of_databases_refuses_other_files(files, theirs, invoke) -> None:
    path = files(**{"a.json": {}}) / "a.json"
    assert "mlflow reads SQLite databases only" in invoke(
        "load", "--as", "mlflow", path, "--score", "x"
    ).output  # fmt: skip
    database = theirs("create table runs (id)")
    assert "inspect reads no SQLite database" in invoke("load", "--as", "inspect", database).output


def generation(id: str, parent: str | None, usage: dict[str, int], cost: float, **fields: Any) -> dict[str, Any]:
    return {"id": id, "parentObservationId": parent, "type": "GENERATION", "model": "able", "usageDetails": usage,
            "totalCost": cost, "costDetails": {"total": cost} if cost else {}, "latency": 1707,
            "startTime": f"{T}1Z", "endTime": f"{T}3.5Z", **fields}  # fmt: skip


def trace(id: str, scores: list[dict[str, Any]], *observations: dict[str, Any]) -> dict[str, Any]:
    return {"trace": {"id": id, "name": "answer", "projectId": "p", "timestamp": f"{T}1Z", "scores": scores,
                      "metadata": '{"a": 1}', "sessionId": "s"}, "observations": list(observations)}  # fmt: skip


def score(value: Any, name: str = "harm", type: str = "NUMERIC", **fields: Any) -> dict[str, Any]:
    return {"name": name, "value": value, "dataType": type, "source": "EVAL", "observationId": None,
            "updatedAt": f"{T}1Z", **fields}  # fmt: skip


LANGFUSE = [
    # A generation inside a generation repeats it.
    trace("l1", [score(0), score(1, "correct")],
          generation("a", None, {"input": 14, "output": 43, "total": 57}, 0.5),
          generation("b", "x", {"input": 2, "input_cached_tokens": 60, "output": 85, "total": 147}, 0.25),
          {"id": "x", "parentObservationId": "a", "type": "SPAN", "usageDetails": {"total": 147}, "totalCost": 9,
           "startTime": f"{T}1Z", "endTime": f"{T}3Z"}),
    trace("l2", [score(0.8)], generation("a", None, {"input": 5, "output": 4}, 0.0),
          generation("b", None, {"input": 5, "output": 40}, 0.0, model="abler")),
    # A person counts before a judge that came later, and a score of the trace before that of an observation.
    trace("l3", [score(1, source="ANNOTATION"), score(0, updatedAt=f"{T}9Z")], generation("a", None, {}, 0.0)),
    trace("l4", [score(0), score(1, observationId="a", updatedAt=f"{T}9Z")], generation("a", None, {}, 0.0)),
    trace("l5", [score(1, type="BOOLEAN")], generation("a", None, {}, 0.0)),
    trace("l6", [score(1, "correct")], generation("a", None, {}, 0.0)),
    trace("l7", [score(None, type="CATEGORICAL", stringValue="maybe")], generation("a", None, {}, 0.0)),
]  # fmt: skip


def test_langfuse(files, rows, invoke) -> None:
    folder = files(**{"a.json": LANGFUSE[0], "list.json": {"data": [each["trace"] | each for each in LANGFUSE[1:]]}})
    harm = ("langfuse", folder, "--score", "harm", "--threshold", "0.1", "--lower-is-better")
    assert rows(FACTS, *harm) == [
        ("l1", 1, "able", 62, 85, 60, 0.25, 2500, 1.0),
        ("l2", 0, "abler", 10, 44, None, None, 2500, pytest.approx(0.2)),
        ("l3", 0, "able", None, None, None, None, 2500, 0.0),
        ("l4", 1, "able", None, None, None, None, 2500, 1.0),
        ("l5", 0, "able", None, None, None, None, 2500, 0.0),
    ]
    output = invoke("load", "--as", *harm).output
    assert "2 without a verdict (1 no score of that name, 1 score is no verdict)" in output
    missing = invoke("load", "--as", "langfuse", folder, "--score", "harm").output
    assert "langfuse needs --threshold" in missing
    assert "--lower-is-better or --higher-is-better" in missing
    assert invoke("load", "--as", "langfuse", folder, "--dry-run").exit_code == 2


PHOENIX = """
create table projects (id, name);
create table traces (id, project_rowid, trace_id, start_time, end_time);
create table spans (id, trace_rowid, span_id, parent_id, span_kind, attributes, llm_token_count_prompt,
    llm_token_count_completion);
create index by_session on spans (json_extract(attributes, '$.session'));
create table span_costs (trace_rowid, total_cost);
create table datasets (id, name);
create table dataset_examples (id, external_id);
create table experiments (id, dataset_id, name, metadata, project_name, created_at);
create table experiment_runs (id, experiment_id, dataset_example_id, repetition_number, trace_id, start_time,
    end_time, error);
create table experiment_run_annotations (id, experiment_run_id, name, label, score, trace_id, error);
create table trace_annotations (id, trace_rowid, name, label, score, annotator_kind, updated_at);
create table span_annotations (id, span_rowid, name, label, score, annotator_kind, updated_at);
"""


def test_phoenix(theirs, rows, invoke) -> None:
    start, end = "2026-05-01 10:00:01.250000", "2026-05-01 10:00:03.750000"
    calls = [(n, n % 10, f"s{n}", f"r{n % 10}", "LLM", json.dumps({"llm": {
        "model_name": model, "token_count": {"prompt_details": {"cache_read": 30}}}}), 100, output)
        for n, model, output in ((11, "small", 5), (21, "able", 25), (13, "able", 1))]  # fmt: skip
    path = theirs(
        PHOENIX
        + inserts("projects", (1, "prod"), (2, "Experiment-1"))
        + inserts("datasets", (1, "triage"))
        + inserts("dataset_examples", (1, None), (2, "case-2"), (3, None))
        + inserts("experiments", (1, 1, "baseline", '{"model": "by-experiment"}', "Experiment-1", "2026-05-01 09:00"))
        + inserts("traces", (1, 2, "x1", start, end), (2, 2, "judge", start, end), (3, 1, "p3", start, end),
                  (4, 1, "p4", start, end), (5, 2, "dangling", start, end))
        + inserts("spans", *calls, (31, 3, "r3", None, "AGENT", "{}", None, None),
                  (41, 4, "r4", None, "AGENT", "{}", None, None))
        + inserts("span_costs", (1, 0.25), (1, 0.5))
        + inserts("experiment_runs", (1, 1, 1, 1, "x1", start, end, None), (2, 1, 2, 2, None, start, end, None),
                  (3, 1, 3, 1, None, start, end, "KeyError()"), (4, 1, 1, 2, None, start, end, None))
        + inserts("experiment_run_annotations", (1, 1, "correct", None, 1.0, "judge", None),
                  (2, 2, "correct", "incorrect", None, None, None), (3, 4, "correct", None, None, None, "judge broke"),
                  (4, 1, "polite", None, 0.0, None, None))
        + inserts("span_annotations", (1, 31, "correct", None, 1.0, "LLM", "2026-05-02"),
                  (2, 31, "correct", None, 0.25, "HUMAN", "2026-05-01"), (3, 13, "correct", None, 1.0, "HUMAN", "9"))
    )  # fmt: skip
    asked = ("phoenix", path, "--score", "correct")
    assert rows(FACTS, *asked) == [
        ("2026-05-01 09:00/1/1", 1, "able", 200, 30, 60, 0.75, 2500, 1.0),
        ("2026-05-01 09:00/2/2", 0, "by-experiment", None, None, None, None, 2500, None),
        ("p3", 0, "able", 100, 1, 30, None, 2500, 0.25),
    ]
    assert rows("task_type, task_id, attempt, variant, timestamp", *asked) == [
        ("triage", "triage/1", 1, "baseline", f"{T}1.250000Z"),
        ("triage", "triage/case-2", 2, "baseline", f"{T}1.250000Z"),
        ("prod", None, None, None, f"{T}1.250000Z"),
    ]
    output = invoke("load", "--as", *asked).output
    assert "3 without a verdict (1 task_error, 1 judge_error, 1 no annotation of that name)" in output


def otlp(values: dict[str, Any]) -> list[dict[str, Any]]:
    kinds = {str: "stringValue", int: "intValue", float: "doubleValue"}
    return [
        {"key": name, "value": {kinds[type(value)]: str(value) if isinstance(value, int) else value}}
        for name, value in values.items()
    ]


def of_otlp(span: dict[str, Any]) -> dict[str, Any]:
    """Return a span as OTLP/JSON has it: numbers as texts, attributes as a list."""
    return {"traceId": span["trace"], "spanId": span["id"], "parentSpanId": span["parent"] or "", "name": span["name"],
            "startTimeUnixNano": str(MS * 10**6), "endTimeUnixNano": str((MS + 2500) * 10**6),
            "attributes": otlp(span["attributes"]),
            "events": [{"name": "gen_ai.evaluation.result", "timeUnixNano": str(MS), "attributes": otlp(event)}
                       for event in span["events"]]}  # fmt: skip


def of_console(span: dict[str, Any]) -> dict[str, Any]:
    """Return a span as Python's ConsoleSpanExporter prints it."""
    return {"name": span["name"], "context": {"trace_id": f"0x{span['trace']}", "span_id": f"0x{span['id']}"},
            "parent_id": span["parent"] and f"0x{span['parent']}", "start_time": f"{T}0.000000Z",
            "end_time": f"{T}2.500000Z", "status": {"status_code": "UNSET"}, "attributes": span["attributes"],
            "events": [{"name": "gen_ai.evaluation.result", "timestamp": f"{T}3Z", "attributes": event}
                       for event in span["events"]]}  # fmt: skip


def span(trace: str, id: str, parent: str | None, operation: str, *events: dict[str, Any],
         **attributes: Any) -> dict[str, Any]:  # fmt: skip
    named = {f"gen_ai.{name.replace('__', '.')}": value for name, value in attributes.items()}
    return {"trace": trace, "id": id, "parent": parent, "name": operation, "events": events,
            "attributes": {"gen_ai.operation.name": operation, **named}}  # fmt: skip


def evaluation(value: float | None = None, label: str = "", name: str = "correct") -> dict[str, Any]:
    known: dict[str, Any] = {"value": value} if value is not None else {"label": label}
    return {"gen_ai.evaluation.name": name, **{f"gen_ai.evaluation.score.{key}": cell for key, cell in known.items()}}


SPANS = [
    # The agents repeat the tokens of their calls; the inner agent is no unit of its own.
    span("a1", "01", None, "invoke_agent", evaluation(1.0), evaluation(0.0, name="polite"), agent__name="triager",
         agent__version="2", usage__input_tokens=346, usage__output_tokens=46),
    span("a1", "02", "01", "invoke_agent", usage__input_tokens=100, usage__output_tokens=6),
    span("a1", "03", "02", "chat", request__model="lab/able:free", response__model="able", usage__input_tokens=100,
         usage__output_tokens=6, usage__cache_read__input_tokens=60),
    span("a1", "04", "01", "chat", response__model="abler", usage__input_tokens=246, usage__output_tokens=40),
    span("a1", "05", "04", "execute_tool"),
    # The verdict on the only unit's inner span is the unit's.
    span("a2", "01", None, "invoke_agent", agent__name="triager"),
    span("a2", "02", "01", "chat", evaluation(label="Fail"), response__model="able", usage__input_tokens=7),
    # No verdict, as most spans.
    span("a3", "01", None, "chat", response__model="able", usage__input_tokens=7),
    span("a4", "01", None, "chat", evaluation(label="lukewarm"), response__model="able"),
]  # fmt: skip


@pytest.mark.parametrize("kind", ["otlp", "console"])
def test_otel(files, rows, invoke, kind: str) -> None:
    if kind == "otlp":
        scopes = [{"scopeSpans": [{"spans": [of_otlp(each) for each in SPANS]}]}]
        folder = files(**{"spans.jsonl": [{"resourceSpans": scopes}, {"resourceSpans": scopes}]})
    else:
        spans = [of_console(each) for each in SPANS]
        # Objects one after another over several lines, each span twice, first without an end.
        texts = [json.dumps(each, indent=4) for span in spans for each in ({**span, "end_time": None}, span)]
        folder = files(**{"spans.jsonl": "\n".join(texts).encode()})
    asked = ("otel", folder, "--score", "correct")
    assert rows(FACTS, *asked) == [
        ("a1/01", 1, "abler", 346, 46, 60, None, 2500, 1.0),
        ("a2/01", 0, "able", 7, None, None, None, 2500, None),
    ]
    assert rows("distinct task_type, timestamp", *asked) == [("triager", f"{T}0.000000Z")]
    assert rows("agent", *asked) == [("triager 2",), ("triager",)]
    output = invoke("load", "--as", *asked).output
    assert "2 without a verdict (1 no evaluation of that name, 1 evaluation is no verdict)" in output
    assert "load it with --as otel" in invoke("load", folder / "spans.jsonl").output


def test_otel_reads_log_records_and_the_spans_and_annotations_of_phoenix(files, rows) -> None:
    record = {"timeUnixNano": "1", "traceId": "a2", "spanId": "01", "eventName": "gen_ai.evaluation.result",
              "attributes": otlp(evaluation(0.5))}  # fmt: skip
    spans = {"resourceSpans": [{"scopeSpans": [{"spans": [of_otlp(SPANS[5])]}]}]}
    phoenix = [
        {"name": "turn", "context": {"trace_id": "b1", "span_id": "s1"}, "span_kind": "AGENT", "parent_id": None,
         "start_time": f"{T}0+00:00", "end_time": f"{T}2.5+00:00", "status_code": "OK", "attributes": {}},
        {"name": "call", "context": {"trace_id": "b1", "span_id": "s2"}, "span_kind": "LLM", "parent_id": "s1",
         "start_time": f"{T}0+00:00", "end_time": f"{T}1+00:00", "attributes": {
             "llm.model_name": "able", "llm.token_count.prompt": 90, "llm.token_count.completion": 9,
             "llm.token_count.prompt_details.cache_read": 60, "llm.cost.total": 0.25}},
    ]  # fmt: skip
    notes = {"data": [{"span_id": "s1", "name": "correct", "annotator_kind": "HUMAN",
                       "result": {"label": "yes", "score": None}}]}  # fmt: skip
    folder = files(**{
        "spans.json": spans, "logs.json": {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]},
        "phoenix.json": phoenix, "notes.json": notes,
    })  # fmt: skip
    assert rows(FACTS, "otel", folder, "--score", "correct", "--threshold", "0.5", "--model-id", "mine") == [
        ("a2/01", 1, "mine", None, None, None, None, 2500, 0.5),
        ("b1/s1", 1, "mine", 90, 9, 60, 0.25, 2500, None),
    ]


def metric(name: str, success: bool | None, **fields: Any) -> dict[str, Any]:
    return {
        "name": name,
        "success": success,
        "threshold": 0.5,
        "evaluationModel": "judge",
        "evaluationCost": 9,
        **fields,
    }


BROKEN = metric("tone", False, error="judge broke")
CASES: list[dict[str, Any]] = [
    {"name": "a", "success": True, "metricsData": [metric("fact", True, score=0.75)], "tokenCost": 0.25,
     "inputTokenCount": 100, "outputTokenCount": 10, "completionTime": 2.5},
    {"name": "b", "success": False, "metricsData": [metric("fact", False, score=0.1), BROKEN]},
    {"name": "c", "success": False, "metricsData": [metric("fact", True, score=0.9), BROKEN]},
    {"name": "d", "success": True, "metricsData": [metric("fact", True, score=0.9), metric("tone", False, flaky=True)]},
    {"name": "e", "metricsData": []},
]  # fmt: skip


@pytest.mark.parametrize("kind", ["json", "database"])
def test_deepeval(files, theirs, rows, invoke, kind: str) -> None:
    asked: tuple[Any, ...]
    run = {"testFile": "t.py", "testCases": [case | {"order": n} for n, case in enumerate(CASES)],
           "hyperparameters": {"Model": "able"}}  # fmt: skip
    if kind == "json":
        path = files(**{".latest_test_run.json": {"testRunData": run}}) / ".latest_test_run.json"
        asked, prefix = ("deepeval", path, "--timestamp", f"{T}0Z"), f"{T}0Z"
        assert "2 rows have no timestamp: give --timestamp" not in invoke("load", "--as", "deepeval", path).output
        assert "3 rows have no timestamp: give --timestamp" in invoke("load", "--as", "deepeval", path).output
    else:
        path = theirs(
            "create table test_cases (id); create table metric_data (id);"
            "create table test_runs (id, created_at, payload_json);"
        )
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("insert into test_runs values (7, ?, ?)", (f"{T}0+00:00", json.dumps(run)))
            connection.commit()
        asked, prefix = ("deepeval", path), f"{T}0+00:00/7"
    assert rows(FACTS, *asked) == [
        (f"{prefix}/able/a/0", 1, "able", 100, 10, None, 0.25, 2500, 0.75),
        (f"{prefix}/able/b/1", 0, "able", None, None, None, None, None, None),
        (f"{prefix}/able/d/3", 1, "able", None, None, None, None, None, 0.9),
    ]
    assert rows("distinct task_type, timestamp", *asked) == [("t.py", f"{T}0.000000Z")]
    assert "2 without a verdict (1 judge_error, 1 no metric judged it)" in invoke("load", "--as", *asked).output
    assert "load it with --as deepeval" in invoke("load", path).output


def test_lm_eval(files, rows, invoke) -> None:
    def line(doc: int, filter: str, value: Any) -> dict[str, Any]:
        return {"doc_id": doc, "doc": {}, "resps": [["x"]], "filtered_resps": ["x"], "filter": filter,
                "metrics": ["exact_match"], "exact_match": value, "wer": 0.2}  # fmt: skip

    times = "2026-05-01T12-00-00.123456", "2026-05-02T12-00-00"
    results = {"results": {}, "configs": {}, "n-shot": {"gsm8k_x": 5}, "date": MS / 1000, "start_time": 3391296.9,
               "higher_is_better": {"gsm8k_x": {"exact_match": True, "wer": False}}, "model_name": "able"}  # fmt: skip
    samples = [line(1, "strict", 0.0), line(1, "flexible", 1.0), line(2, "strict", 1.0), line(2, "flexible", 1.0),
               line(3, "strict", None), line(3, "flexible", 1.0)]  # fmt: skip
    folder = files(**{
        f"results_{times[0]}.json": results, f"samples_gsm8k_x_{times[0]}.jsonl": samples,
        f"results_{times[1]}.json": {**results, "model_name": "abler", "date": MS / 1000 + 1},
        f"samples_gsm8k_x_{times[1]}.jsonl": samples[2:3],
    })  # fmt: skip
    columns = "event_id, success, task_id, timestamp, variant, score"
    strict = [
        (f"{times[0]}/able/gsm8k_x/1", 0, "gsm8k_x/1", f"{T}0.000000Z", "5-shot", 0.0),
        (f"{times[0]}/able/gsm8k_x/2", 1, "gsm8k_x/2", f"{T}0.000000Z", "5-shot", 1.0),
        (f"{times[1]}/abler/gsm8k_x/2", 1, "gsm8k_x/2", f"{T}1.000000Z", "5-shot", 1.0),
    ]
    assert rows(columns, "lm-eval", folder) == strict
    output = invoke("load", "--as", "lm-eval", folder).output
    assert "1 without a verdict (1 no number under exact_match)" in output
    flexible = invoke("load", "--as", "lm-eval", folder, "--scorer", "flexible", "--dry-run").output
    assert "3 successes, 0 failures" in flexible
    # A rate of errors is better if it is low, as the results say.
    wer = invoke("load", "--as", "lm-eval", folder, "--score", "wer", "--threshold", "0.2", "--dry-run").output
    assert "4 successes, 0 failures" in wer


def test_gsd(files, rows, invoke) -> None:
    def unit(id: str, started: int, cost: float) -> dict[str, Any]:
        return {"type": "execute-task", "id": id, "model": "able", "startedAt": MS + started, "cost": cost,
                "finishedAt": MS + started + 900, "apiRequests": 2, "autoSessionKey": "k",
                "tokens": {"input": 10, "output": 5, "cacheRead": 90, "cacheWrite": 1}}  # fmt: skip

    def event(flow: str, seq: int, type: str, id: str, at: str, **data: Any) -> dict[str, Any]:
        return {"ts": at, "flowId": flow, "seq": seq, "eventType": type, "causedBy": {"flowId": flow, "seq": 1},
                "data": {"unitType": "execute-task", "unitId": id, **data}}  # fmt: skip

    def pair(flow: str, id: str, second: int, status: str | None, **data: Any) -> list[dict[str, Any]]:
        start = event(flow, 1, "unit-start", id, f"{T}{second}.000Z")
        return [start] + ([event(flow, 2, "unit-end", id, f"{T}9.000Z", status=status, **data)] if status else [])

    journal = [
        *pair("f1", "T1", 0, "completed", artifactVerified=False),
        *pair("f2", "T1", 2, "completed", artifactVerified=True),
        # The first was cancelled before a session began, the second while it worked.
        *pair("f3", "T2", 3, "cancelled", errorContext={"category": "timeout"}),
        *pair("f4", "T2", 4, "cancelled", errorContext={"category": "timeout"}),
        *pair("f5", "T3", 5, None),
    ]
    units = [unit("T1", 0, 0), unit("T1", 2000, 0.5), unit("T2", 4001, 0), unit("T3", 5000, 0)]
    folder = files(**{
        "one/metrics.json": {"version": 1, "units": units}, "one/journal/2026-05-01.jsonl": journal,
        "two/metrics.json": {"version": 1, "units": []},
    })  # fmt: skip
    columns = "event_id, success, timeout, task_id, attempt, error_type, duration_ms, tokens_used, cached_input_tokens"
    assert rows(columns, "gsd", folder) == [
        ("gsd/f1/1", 0, 0, "execute-task T1", 1, "invalid_output", 900, 106, 90),
        ("gsd/f2/1", 1, 0, "execute-task T1", 2, None, 900, 106, 90),
        ("gsd/f4/1", 0, 1, "execute-task T2", 2, "timeout", 900, 106, 90),
    ]
    assert rows("cost_usd, cost_source", "gsd", folder) == [(0.0, "plan"), (0.5, "provider"), (0.0, "plan")]
    output = invoke("load", "--as", "gsd", folder).output
    assert "2 without a verdict (1 session_not_created, 1 unit did not end)" in output

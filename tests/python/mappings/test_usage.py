"""Usage logs have no verdict: a mapping joins them with one, and alone they are refused in a sentence."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

GUIDES = Path(__file__).parents[3] / "docs" / "guides"
T = "2026-05-01T10:00:0"

SPEND = """request_id,call_type,spend,prompt_tokens,completion_tokens,startTime,model,session_id,cache_hit
r1,acompletion,0.25,100,10,2026-05-01T10:00:01Z,able,s1,False
r2,acompletion,0.5,200,20,2026-05-01T10:00:02Z,able,s1,False
r2,acompletion,0.5,200,20,2026-05-01T10:00:02Z,able,s1,False
r3,acompletion,0,50,5,2026-05-01T10:00:03Z,able,s2,False
r4,acompletion,0,50,5,2026-05-01T10:00:03Z,able,s3,True
"""
LITELLM = [
    {"request_id": "r1", "spend": 0.25, "prompt_tokens": 100, "completion_tokens": 10, "model": "able",
     "startTime": f"{T}1Z", "session_id": "s1", "metadata": {"usage_object": {"prompt_tokens_details": {
         "cached_tokens": 60}}}},
    {"request_id": "r2", "spend": 0.5, "prompt_tokens": 200, "completion_tokens": 20, "model": "",
     "model_group": "group", "startTime": f"{T}1Z", "session_id": "s2", "metadata": "{}", "cache_hit": ""},
]  # fmt: skip
OPENROUTER = """generation_id,created_at,cost_total,tokens_prompt,tokens_completion,model_permaslug
g1,2026-05-01 10:00:01.713,0.25,100,10,lab/able
"""


def response(session: str, id: str, output: int, **fields: Any) -> dict[str, Any]:
    usage = {"input_tokens": 3, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 37,
             "output_tokens": output}  # fmt: skip
    return {"parentUuid": None, "isSidechain": False, "sessionId": session, "type": "assistant", "timestamp": f"{T}1Z",
            "message": {"id": id, "model": "able", "usage": usage}, **fields}  # fmt: skip


CLAUDE = [
    {"parentUuid": None, "isSidechain": False, "sessionId": "s1", "type": "user", "message": {"content": "secret"}},
    response("s1", "m1", 1), response("s1", "m1", 7), response("s1", "m1", 10), response("s1", "m2", 20),
    response("s1", "m3", 5, isSidechain=True),
    {**response("s1", "m4", 9), "message": {"id": "m4", "model": "<synthetic>", "usage": {"output_tokens": 9}}},
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "content", "tool", "expected"),
    [
        ("a.csv", SPEND.encode(), "LiteLLM", [("r1", "s1", "able", f"{T}1Z", 100, 10, None, 0.25),
                                              ("r2", "s1", "able", f"{T}2Z", 200, 20, None, 0.5),
                                              ("r3", "s2", "able", f"{T}3Z", 50, 5, None, None),
                                              ("r4", "s3", "able", f"{T}3Z", 50, 5, None, 0.0)]),
        ("a.json", LITELLM, "LiteLLM", [("r1", "s1", "able", f"{T}1Z", 100, 10, 60, 0.25),
                                        ("r2", "s2", "group", f"{T}1Z", 200, 20, None, 0.5)]),
        ("a.jsonl", CLAUDE, "Claude Code", [("m1", "s1", "able", f"{T}1Z", 100, 10, 60, None),
                                            ("m2", "s1", "able", f"{T}1Z", 100, 20, 60, None),
                                            ("m3", "s1", "able", f"{T}1Z", 100, 5, 60, None)]),
        ("b.csv", OPENROUTER.encode(), "OpenRouter", [("g1", None, "lab/able", f"{T}1.713Z", 100, 10, None, 0.25)]),
    ],
)  # fmt: skip
def test_a_usage_log_counts_each_response_once(
    files, invoke, query, tmp_path: Path, name: str, content: Any, tool: str, expected: list[Any]
) -> None:
    path = files(**{name: content}) / name
    columns = "request_id, session_id, model_id, timestamp, input_tokens, output_tokens, cached_input_tokens, cost_usd"
    shown = tmp_path / "shown.sql"
    shown.write_text(
        f"select 'e' || row_number() over () as event_id, 't' as task_type, 'm' as model_id, 1 as success,"
        f" '{T}0Z' as timestamp, json_array({columns}) as usage from usage order by request_id"
    )
    assert invoke("load", "--as", shown, path).exit_code == 0
    given = query("select json_extract(attributes, '$.usage') from model_outcomes order by event_id")
    assert [tuple(json.loads(row)) for (row,) in given] == expected
    for alone in (("load", path), ("load", "--as", {"LiteLLM": "litellm", "Claude Code": "claude-code",
                                                    "OpenRouter": "openrouter"}[tool], path)):  # fmt: skip
        result = invoke(*alone)
        assert result.exit_code == 2
        sentence = rf"is an? \w+( \w+)* of {tool}: it has no verdict; join it with one in a mapping \(docs/guides/"
        assert re.search(sentence, result.output), result.output


def test_an_outcome_with_the_columns_of_a_usage_log_is_an_outcome(files, invoke) -> None:
    header, row = "request_id,spend,prompt_tokens,completion_tokens", "r1,0.25,1,1"
    ours = f"{header},task_type,model_id,success,timestamp\n{row},t,m,1,{T}0Z\n"
    assert invoke("load", files(**{"a.csv": ours.encode()}) / "a.csv").exit_code == 0


def test_a_usage_log_with_a_verdict_of_its_own_is_loaded_by_a_map(files, invoke, query) -> None:
    header, row = (
        "request_id,spend,prompt_tokens,completion_tokens,startTime,model,merged",
        f"r1,0.25,3,1,{T}1Z,able,yes",
    )
    path = files(**{"a.csv": f"{header}\n{row}\n".encode()}) / "a.csv"
    assert "has no verdict" in invoke("load", path).output
    maps = (
        "model_id=model,timestamp=startTime,cost_usd=spend,input_tokens=prompt_tokens,output_tokens=completion_tokens"
    )
    loaded = invoke("load", "--map", maps, "--success", "merged=yes", "--task-type", "merge", path)
    assert loaded.exit_code == 0, loaded.output
    assert query("select model_id, success, cost_usd, tokens_used from model_outcomes") == [("able", 1, 0.25, 4)]


def test_the_mapping_in_the_guide_joins_verdicts_with_the_spend(files, rows, tmp_path: Path) -> None:
    page = (GUIDES / "other-tools.md").read_text()
    (sql,) = re.findall(r"tickets\.sql <<'end'\n(.*?)\nend\n", page, re.DOTALL)
    tickets = tmp_path / "tickets.sql"
    tickets.write_text(sql)
    verdicts = [{"ticket": f"T-{n}", "session": f"s{n}", "solved": n != 2, "at": f"{T}{n}Z"} for n in (1, 2, 3)]
    folder = files(**{"verdicts.jsonl": verdicts, "spend.csv": SPEND.encode()})
    columns = "event_id, success, model_id, input_tokens, output_tokens, iif(cost_source is null, null, cost_usd)"
    assert rows(columns, tickets, folder / "verdicts.jsonl", folder / "spend.csv") == [
        ("T-1", 1, "able", 300, 30, 0.75),
        ("T-2", 0, "able", 50, 5, None),
        ("T-3", 1, "able", 50, 5, 0.0),
    ]

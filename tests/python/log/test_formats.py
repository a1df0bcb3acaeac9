"""The same outcomes come in from every format, packed or not, whatever the file is called."""

import csv
import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.usefixtures("made")

OUTCOMES: list[dict[str, Any]] = [
    {
        "task_type": "coding", "model_id": "alpha, the \"first\"", "success": True, "timestamp": "2026-01-31T12:00:00Z",
        "tokens_used": 12, "cost_usd": 0.25, "event_id": "e1", "task_id": "t1", "experiment_id": "x1",
        "recorded_by": "agent\nof two lines", "duration_ms": 1500, "input_tokens": 5, "output_tokens": 7,
        "cost_source": "local",
    },
    {
        "task_type": "prüfen", "model_id": "β/模型", "success": False, "timestamp": "2026-01-31T12:00:00.5+02:00",
        "timeout": True, "cost_usd": 0, "error_type": "timeout",
    },
    {"task_type": "coding", "model_id": "gamma", "success": False, "timestamp": "2026-01-31 12:00Z"},
]  # fmt: skip
COLUMNS = (
    "task_type, model_id, success, timeout, tokens_used, cost_usd, timestamp, event_id, task_id, experiment_id,"
    " recorded_by, duration_ms, input_tokens, output_tokens, error_type, cost_source"
)
ROWS = [
    (
        "coding", "alpha, the \"first\"", 1, 0, 12, 0.25, "2026-01-31T12:00:00.000000Z", "e1", "t1", "x1",
        "agent\nof two lines", 1500, 5, 7, None, "local",
    ),
    (
        "prüfen", "β/模型", 0, 1, 0, 0.0, "2026-01-31T10:00:00.500000Z", None, None, None,
        None, None, None, None, "timeout", "provider",
    ),
    (
        "coding", "gamma", 0, 0, 0, 0.0, "2026-01-31T12:00:00.000000Z", None, None, None,
        None, None, None, None, None, None,
    ),
]  # fmt: skip


def camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.title() for part in rest)


def as_jsonl(outcomes: list[dict[str, Any]]) -> bytes:
    return b"".join(json.dumps(found).encode() + b"\n" for found in outcomes)


def as_array(outcomes: list[dict[str, Any]]) -> bytes:
    return json.dumps(outcomes, indent=2, ensure_ascii=False).encode()


def as_csv(outcomes: list[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, sorted({name for found in outcomes for name in found}))
    writer.writeheader()
    writer.writerows(
        {name: str(value).lower() if isinstance(value, bool) else value for name, value in found.items()}
        for found in outcomes
    )
    return text.getvalue().encode()


RENDERERS = {"jsonl": as_jsonl, "json": as_array, "csv": as_csv}


@pytest.mark.parametrize("is_packed", [False, True], ids=["plain", "gz"])
@pytest.mark.parametrize("by", ["name", "content", "force", "stdin"])
@pytest.mark.parametrize("render", RENDERERS.values(), ids=RENDERERS)
@pytest.mark.parametrize("naming", [str, camel])
def test_every_column_comes_in(
    invoke, query, tmp_path: Path, naming: Callable[[str], str], render: Callable[..., bytes], by: str, is_packed: bool
) -> None:
    content = render([{naming(name): value for name, value in found.items()} for found in OUTCOMES])
    content = gzip.compress(content) if is_packed else content
    format = next(name for name, known in RENDERERS.items() if known is render)
    file = tmp_path / {"name": f"log.{format}", "force": "log.dat", "content": "log"}.get(by, "-")
    file.write_bytes(content)
    if by == "stdin":
        result = invoke("load", "-", input=content)
    else:
        result = invoke("load", file, *(["--format", format] if by == "force" else []))
    assert (result.exit_code, result.stderr) == (0, "")
    assert "3 accepted, 0 duplicates, 0 rejected" in result.stdout
    assert query(f"select {COLUMNS} from model_outcomes order by id") == ROWS


def test_a_name_that_ends_in_gz_need_not_be_packed(invoke, query, tmp_path: Path) -> None:
    (tmp_path / "log.csv.gz").write_bytes(as_csv(OUTCOMES))
    assert invoke("load", tmp_path / "log.csv.gz").exit_code == 0
    assert query("select count(*) from model_outcomes") == [(3,)]


def test_several_files_are_loaded_in_one_call(invoke, query, tmp_path: Path) -> None:
    for number, (format, render) in enumerate(RENDERERS.items()):
        (tmp_path / f"{number}.{format}").write_bytes(render([OUTCOMES[number]]))
    assert invoke("load", *sorted(tmp_path.glob("?.*"))).exit_code == 0
    assert query(f"select {COLUMNS} from model_outcomes order by id") == ROWS


def test_one_bad_file_does_not_keep_out_the_others(invoke, query, line, tmp_path: Path) -> None:
    (tmp_path / "good.jsonl").write_bytes(line())
    result = invoke("load", tmp_path / "missing.jsonl", tmp_path / "good.jsonl")
    assert result.exit_code == 2
    assert "missing.jsonl" in result.stderr
    assert query("select count(*) from model_outcomes") == [(1,)]


@pytest.mark.parametrize(
    ("fields", "tokens"),
    [
        ({}, 0),
        ({"tokens_used": 500, "input_tokens": 100, "output_tokens": 20}, 500),
        ({"input_tokens": 100, "output_tokens": 20}, 120),
        ({"input_tokens": 100}, 0),
        ({"tokens_used": 12.0}, 12),
    ],
)
def test_tokens_in_all_follow_from_their_parts(invoke, query, line, fields: dict[str, Any], tokens: int) -> None:
    invoke("load", "-", input=line(**fields))
    assert query("select tokens_used from model_outcomes") == [(tokens,)]


@pytest.mark.parametrize(
    ("fields", "known"),
    [
        ({}, (0.0, None)),
        ({"cost_usd": None}, (0.0, None)),
        ({"cost_usd": None, "cost_source": "local"}, (0.0, None)),
        ({"cost_usd": 0}, (0.0, "provider")),
        ({"cost_usd": 1.5, "cost_source": "local"}, (1.5, "local")),
    ],
)
def test_an_unknown_cost_is_not_a_free_one(invoke, query, line, fields: dict[str, Any], known: tuple[Any, ...]) -> None:
    invoke("load", "-", input=line(**fields))
    assert query("select cost_usd, cost_source from model_outcomes") == [known]


@pytest.mark.parametrize(("text", "success"), [("true", 1), ("false", 0), ("1", 1), ("0", 0)])
def test_flags_in_csv(invoke, query, text: str, success: int) -> None:
    content = f"task_type,model_id,success,timestamp\nt,m,{text},2026-01-31T12:00:00Z\n"
    assert invoke("load", "-", input=content.encode()).exit_code == 0
    assert query("select success from model_outcomes") == [(success,)]

"""Files of other tools, invented in the shape of real ones, and the load of them."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model_outcomes.log import store

Rows = Callable[..., list[tuple[Any, ...]]]
Files = Callable[..., Path]


@pytest.fixture(autouse=True)
def made(database: Path) -> None:
    store.create_or_open(database).close()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    """Write values as JSON (a list of lines for .jsonl) under their names, and return the folder that has them."""

    def write(**contents: Any) -> Path:
        folder = tmp_path / "files"
        for name, content in contents.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            elif name.endswith(".jsonl"):
                path.write_text("".join(f"{json.dumps(line)}\n" for line in content))
            else:
                path.write_text(json.dumps(content))
        return folder

    return write


@pytest.fixture
def rows(invoke, query) -> Rows:
    """Load files by a mapping, twice; return the columns of the outcomes in the order of their event_ids. The second
    load adds nothing."""

    def load(columns: str, *arguments: object) -> list[tuple[Any, ...]]:
        result = invoke("load", "--as", *arguments)
        assert result.exit_code == 0, result.output
        before = query(f"select {columns} from model_outcomes order by event_id")
        again = invoke("load", "--as", *arguments)
        assert again.exit_code == 0
        assert query(f"select {columns} from model_outcomes order by event_id") == before
        return before

    return load

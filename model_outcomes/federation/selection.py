"""Files by which the user says what may leave: the cells of a noisy export, and names to use outside."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import msgspec

from model_outcomes.base import paths
from model_outcomes.base.errors import OutcomesError
from model_outcomes.base.messages import short_name
from model_outcomes.federation.format import Row, checked

# Two names have 400 characters at most. The limit of the csv module is that of the process, and others change it.
LINE_LENGTH = 100_000


def cells(epsilon: float | None, path: Path | None) -> list[tuple[str, str]]:
    """Return the cells that --cells lists, each once. They are a list beforehand, since which cells a log
    has is told by none of the noise. Raises OutcomesError if the file is not such a list."""
    if (epsilon is None) != (path is None):
        raise OutcomesError("--epsilon and --cells come together: noise for the cells of a list")
    if path is None:
        return []
    lines = _text(path).splitlines()
    if any(len(line) > LINE_LENGTH for line in lines):
        raise OutcomesError(
            f"{paths.absolute(path)} is no list of cells: a line has more than {LINE_LENGTH:,} characters"
        )
    reader = csv.DictReader(lines)
    try:
        if not {"task_type", "model_id"} <= set(reader.fieldnames or ()):
            raise OutcomesError(f"{paths.absolute(path)} is no list of cells: CSV with the columns task_type, model_id")
        found = list(dict.fromkeys((row["task_type"] or "", row["model_id"] or "") for row in reader))
    except csv.Error as fault:
        raise OutcomesError(f"{paths.absolute(path)} is no list of cells: {fault}") from None
    if not found:
        raise OutcomesError(f"{paths.absolute(path)} lists no cell")
    for cell in found:
        faults = checked(Row, {"task_type": cell[0], "model_id": cell[1], "successes": 0})[1]
        if faults:
            raise OutcomesError(f"{paths.absolute(path)}: {', '.join(map(short_name, cell))}: {'; '.join(faults)}")
    return found


def rename_map(path: Path) -> dict[str, Any]:
    """Return what --rename-map holds; OutcomesError where it is no JSON object."""
    try:
        found = json.loads(_text(path))
        msgspec.json.encode(found)
    except UnicodeEncodeError:
        raise OutcomesError(f"{paths.absolute(path)} holds half of a surrogate pair, which is no text") from None
    except (ValueError, RecursionError) as fault:
        raise OutcomesError(f"{paths.absolute(path)} is not JSON: {fault}") from None
    if not isinstance(found, dict):
        raise OutcomesError(f"{paths.absolute(path)} is no JSON object")
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise OutcomesError(f"{paths.absolute(path)} is not UTF-8 text") from None
    except OSError as fault:
        raise OutcomesError(f"{paths.absolute(path)}: {fault.strerror}") from None

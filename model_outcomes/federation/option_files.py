"""Reads the files that options of an export name: the cells of a noisy export, and names to publish."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import msgspec

from model_outcomes.base import paths
from model_outcomes.base.errors import OutcomesError
from model_outcomes.base.messages import short_name
from model_outcomes.federation.format import Name, Row, checked
from model_outcomes.federation.ledger import Cell, NameEntry

# Two names have 400 characters at most. The csv module's own limit holds for the whole process.
LINE_LIMIT_CHARACTERS = 100_000

NAME_KINDS = {"task_types": "task_type", "models": "model_id"}


def cells(epsilon: float | None, path: Path | None) -> list[Cell]:
    """Return the cells that --cells lists, without repetitions. The user lists them beforehand, because noise does not
    hide which cells a log has. Raises OutcomesError if the file is not such a list."""
    if (epsilon is None) != (path is None):
        raise OutcomesError("--epsilon and --cells come together: the noise is for the cells of a list")
    if path is None:
        return []
    place = paths.absolute(path)
    lines = _text(path).splitlines()
    if any(len(line) > LINE_LIMIT_CHARACTERS for line in lines):
        raise OutcomesError(
            f"{place} is not a list of cells: a line has more than {LINE_LIMIT_CHARACTERS:,} characters"
        )
    reader = csv.DictReader(lines)
    try:
        if not {"task_type", "model_id"} <= set(reader.fieldnames or ()):
            raise OutcomesError(f"{place} is not a list of cells: it must be CSV with the columns task_type, model_id")
        listed = list(dict.fromkeys((row["task_type"] or "", row["model_id"] or "") for row in reader))
    except csv.Error as fault:
        raise OutcomesError(f"{place} is not a list of cells: {fault}") from None
    if not listed:
        raise OutcomesError(f"{place} lists no cell")
    for cell in listed:
        faults = checked(Row, {"task_type": cell[0], "model_id": cell[1], "successes": 0})[1]
        if faults:
            raise OutcomesError(f"{place}: {', '.join(map(short_name, cell))}: {'; '.join(faults)}")
    return listed


def rename_map(path: Path) -> list[NameEntry]:
    """Return the published names that --rename-map asks for. Raises OutcomesError if the file is not JSON of the form
    {"task_types": {name: other}, "models": {...}}, or a name must not be published."""
    place = paths.absolute(path)
    try:
        renames = json.loads(_text(path))
        msgspec.json.encode(renames)
    except UnicodeEncodeError:
        raise OutcomesError(f"{place} holds half of a surrogate pair, which is not text") from None
    except (ValueError, RecursionError) as fault:
        raise OutcomesError(f"{place} is not JSON: {fault}") from None
    if not isinstance(renames, dict):
        raise OutcomesError(f"{place} is not a JSON object")
    entries = []
    for kind, mapping in renames.items():
        if kind not in NAME_KINDS or not isinstance(mapping, dict):
            raise OutcomesError('a rename map is JSON of the form {"task_types": {name: other}, "models": {...}}')
        for name, published_name in mapping.items():
            try:
                entries.append((NAME_KINDS[kind], name, msgspec.convert(published_name, Name)))
            except msgspec.ValidationError:
                raise OutcomesError(
                    f"rename map: {published_name!r} must not be published: it is a path, empty or too long"
                ) from None
    return entries


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise OutcomesError(f"{paths.absolute(path)} is not UTF-8 text") from None
    except OSError as fault:
        raise OutcomesError(f"{paths.absolute(path)}: {fault.strerror}") from None

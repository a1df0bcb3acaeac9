"""The user's seeds, checked before dbt starts: dbt would fail late or not at all on a wrong row, and name no line."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from model_outcomes.base import paths
from model_outcomes.base.errors import OutcomesError, plain_os_fault

SIZE_LIMIT_BYTES = 1_048_576  # of a larger seed dbt does not see that it has changed
SHOWN_FAULTS = 3
SHOWN_CHARACTERS = 60
NULLS = ("", "null")  # dbt reads both as null, in any case and between blanks
ATTRIBUTIONS = ("infrastructure", "model")
TIME = re.compile(r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(?:\.\d+)?(Z|[+-]\d\d:\d\d)?)?", re.ASCII)

Row = Mapping[str, str]
Rows = list[tuple[int, Row]]  # each with the line that it begins on


@dataclass(frozen=True)
class Seed:
    """The columns of a seed. The first one is its key; those in `optional` may be empty."""

    columns: tuple[str, ...]
    check: Callable[[Rows, Mapping[str, Rows]], Iterator[Fault]]
    optional: tuple[str, ...] = field(default=())


@dataclass(frozen=True, order=True)
class Fault:
    line: int
    text: str


class SeedError(OutcomesError):
    """A seed has a fault; the message names the file, the line and the fault."""


def check(folder: Path) -> None:
    """Check the seeds of a workspace, `folder` being its seeds/.

    Raises SeedError, whose one line has the first faults, each with its file and line.
    """
    contents = {name: _read(folder / f"{name}.csv", seed) for name, seed in SEEDS.items()}
    rows = {name: rows for name, (rows, _) in contents.items()}
    messages = []
    for name, seed in SEEDS.items():
        faults = contents[name][1] or [*_empty_values(rows[name], seed), *_repeated_keys(rows[name], seed)]
        for fault in sorted(faults or seed.check(rows[name], rows)):
            place = f", line {fault.line}" if fault.line else ""
            messages.append(f"{paths.shown_path(folder / f'{name}.csv')}{place}: {fault.text}")
    if messages:
        more = len(messages) - SHOWN_FAULTS
        raise SeedError("; ".join(messages[:SHOWN_FAULTS]) + (f"; and {more:,} more" if more > 0 else ""))


def _read(path: Path, seed: Seed) -> tuple[Rows, list[Fault]]:
    """Return the rows of a file and the faults of its form. Without faults each row has a value for each column."""
    try:
        if path.stat().st_size > SIZE_LIMIT_BYTES:
            return [], [Fault(0, f"it is larger than {SIZE_LIMIT_BYTES:,} bytes")]
        data = path.read_bytes()
    except FileNotFoundError:
        return [], [Fault(0, f"there is no such file: `loader init {path.parent.parent}` writes it with its header")]
    except OSError as fault:
        raise (plain_os_fault(fault) or fault) from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        return [], [Fault(line, "this is not UTF-8: save the file as CSV UTF-8")]
    return _parse(text, seed)


def _parse(text: str, seed: Seed) -> tuple[Rows, list[Fault]]:
    rows: Rows = []
    faults = []
    lines = csv.reader(io.StringIO(text, newline=None), strict=True)
    begin = 1
    try:
        header = next(lines, [])
        if fault := _header_fault(header, seed.columns):
            return [], [Fault(1, fault)]
        begin = lines.line_num + 1
        for values in lines:
            if not any(map(str.strip, values)):
                faults.append(Fault(begin, "an empty line: remove it"))
            elif len(values) != len(header):
                joined = " (semicolons separate it, not commas)" if ";" in values[0] and len(values) == 1 else ""
                faults.append(Fault(begin, f"{_count(len(values), 'value')} in place of {len(header)}{joined}"))
            else:
                rows.append((begin, dict(zip(header, values, strict=True))))
            begin = lines.line_num + 1
    except csv.Error as fault:
        faults.append(Fault(begin, f"this is not CSV: {fault}"))
    return rows, faults


def _header_fault(header: list[str], columns: tuple[str, ...]) -> str | None:
    if sorted(header) == sorted(columns):
        return None
    wanted = ",".join(columns)
    for mark, name in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and mark in header[0]:
            return f"{name} separate the columns: save the file as CSV with commas ({wanted})"
    return f"the header must be {wanted}" + (f", got {_short(','.join(header))}" if header else "")


def _empty_values(rows: Rows, seed: Seed) -> Iterator[Fault]:
    for line, row in rows:
        for column in seed.columns:
            if column not in seed.optional and _is_null(row[column]):
                reason = "" if not row[column].strip() else ", because dbt reads null as empty"
                yield Fault(line, f"{column} is empty{reason}")


def _repeated_keys(rows: Rows, seed: Seed) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for line, row in rows:
        key = row[seed.columns[0]]
        if first.setdefault(key, line) != line:
            yield Fault(line, f"{seed.columns[0]} {_short(key)} is on line {first[key]} already")


def _check_aliases(rows: Rows, _: Mapping[str, Rows], *, column: str) -> Iterator[Fault]:
    """An alias leads to a name in one step. `column` has the name."""
    names = {row["alias"]: (line, row[column]) for line, row in rows}
    for line, row in rows:
        alias, name = row["alias"], row[column]
        if name == alias:
            yield Fault(line, f"{_short(alias)} is an alias of itself: remove the line")
        elif name in names:
            other, end = names[name]
            is_cycle = end == alias
            if is_cycle and other < line:
                continue  # named on the other line
            advice = "one of the two lines must go" if is_cycle else f"write {_short(end)} here"
            yield Fault(line, f"{_short(name)} is itself an alias, of {_short(end)} (line {other}): {advice}")


def _check_error_types(rows: Rows, _: Mapping[str, Rows]) -> Iterator[Fault]:
    for line, row in rows:
        if row["attribution"] not in ATTRIBUTIONS:
            yield Fault(line, f"attribution {_short(row['attribution'])} is neither {' nor '.join(ATTRIBUTIONS)}")


def _check_nothing(_: Rows, __: Mapping[str, Rows]) -> Iterator[Fault]:
    return iter(())


def _check_experiments(rows: Rows, seeds: Mapping[str, Rows]) -> Iterator[Fault]:
    aliases = {row["alias"]: row["model_id"] for _, row in seeds["model_aliases"]}
    for line, row in rows:
        moments = {}
        for column in ("started_at", "ended_at"):
            if not _is_null(row[column]):
                moments[column] = _moment(row[column])
                if moments[column] is None:
                    wanted = "2026-01-31 or 2026-01-31T12:00:00Z"
                    yield Fault(line, f"{column} {_short(row[column])} is no ISO 8601 time such as {wanted}")
        start, end = moments.get("started_at"), moments.get("ended_at")
        if start and end and end < start:
            yield Fault(line, f"ended_at {_short(row['ended_at'])} is before started_at {_short(row['started_at'])}")
        share = row["challenger_share"]
        if not _is_null(share) and not _is_share(share):
            yield Fault(line, f"challenger_share {_short(share)} is no number from 0 to 1, such as 0.5")
        incumbent, challenger = row["incumbent_model_id"], row["challenger_model_id"]
        if aliases.get(incumbent, incumbent) == aliases.get(challenger, challenger):
            both = "" if incumbent == challenger else ", because one is an alias of the other or both are of a third"
            yield Fault(line, f"incumbent and challenger are the same model, {_short(challenger)}{both}")


def _moment(text: str) -> datetime | None:
    """Return an ISO 8601 time to the second, in UTC; None if the text is none."""
    match = TIME.fullmatch(text)
    if not match:
        return None
    day, time, offset = match[1], match[2] or "00:00", (match[3] or "Z").replace("Z", "+00:00")
    try:
        return datetime.fromisoformat(f"{day}T{time}{offset}").astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None


def _is_share(text: str) -> bool:
    try:
        return 0 <= float(text) <= 1 and "_" not in text
    except ValueError:
        return False


def _is_null(text: str) -> bool:
    return text.strip().lower() in NULLS


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


SEEDS = {
    "model_aliases": Seed(("alias", "model_id"), partial(_check_aliases, column="model_id")),
    "task_type_aliases": Seed(("alias", "task_type"), partial(_check_aliases, column="task_type")),
    "error_types": Seed(("error_type", "attribution"), _check_error_types),
    "incumbents": Seed(("task_type", "model_id"), _check_nothing),
    "ab_experiments": Seed(
        ("experiment_id", "task_type", "incumbent_model_id", "challenger_model_id", "started_at", "ended_at",
         "challenger_share"),
        _check_experiments, optional=("task_type", "ended_at", "challenger_share"),
    ),
}  # fmt: skip

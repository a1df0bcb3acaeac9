"""Explanation: the map that a file of one's own probably needs, from its header and its first rows.

It names all that is missing at once, with the values of the columns that matter, and the command to run.
"""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from model_outcomes.base import clock
from model_outcomes.base.errors import OutcomesError
from model_outcomes.base.messages import reason_lines, short, short_name
from model_outcomes.base.settings import LoadSettings
from model_outcomes.intake import csv_header
from model_outcomes.intake.batches import Refusals
from model_outcomes.intake.csv_records import CsvRecords
from model_outcomes.intake.field_map import FieldMap
from model_outcomes.intake.opening import open_source
from model_outcomes.intake.parser import Parser
from model_outcomes.intake.sources import Source
from model_outcomes.log import outcome, spellings, validation
from model_outcomes.log.outcome import InvalidOutcome

ROWS_READ, BYTES_READ = 10_000, 1 << 24
COLUMNS_COMPARED = 200
VALUES_SHOWN = 8
VALUES_COUNTED = 1_000
# The names of fields in other programs, without blanks and underscores, the most certain first.
SYNONYMS = {
    "task_type": "task tasktype taskkind category kind suite benchmark dataset tasktitle type",
    "model_id": "model modelname llm engine modelslug",
    "success": "success passed resolved correct solved ispassed iscorrect isresolved pass",
    "timestamp": "timestamp startedat starttime started createdat created datetime time date ts finishedat endedat",
    "cost_usd": "costusd cost totalcost totalcostusd price usd spend",
    "duration_ms": "durationms latencyms elapsedms durations latencys duration latency elapsed elapseds runtime"
    " durationseconds latencyseconds elapsedseconds seconds",
    "input_tokens": "inputtokens prompttokens tokensin inputtokencount",
    "output_tokens": "outputtokens completiontokens tokensout outputtokencount",
    "cached_input_tokens": "cachedinputtokens cachedtokens cachereadtokens cachereadinputtokens",
    "tokens_used": "tokensused tokens totaltokens tokencount",
    "task_id": "taskid instanceid caseid testid problemid sampleid",
    "event_id": "eventid uuid requestid generationid",
    "error_type": "errortype error errorclass errorcode failurereason exceptiontype exception",
    "agent": "agent agentname harness scaffold runner",
    "effort": "effort reasoningeffort",
    "variant": "variant promptversion",
    "attempt": "attempt trial try attemptnumber",
    "score": "score grade",
    "timeout": "timeout timedout istimeout",
}
RULE_COLUMNS = ("status", "outcome", "result", "verdict", "state")
SUCCESS_VALUES = ("completed", "succeeded", "success", "passed", "pass", "resolved", "solved", "correct", "ok", "done")
TIMEOUT_VALUES = ("timeout", "timed_out", "timedout", "timed out", "time out")
SECONDS = re.compile(r"(^|[_\s-])(s|sec|secs|seconds)$|[a-z](Seconds|Secs|Sec|S)$")


@dataclass
class Explanation:
    """The proposed map, what was seen of the file, what is missing, and the command that loads the file."""

    table: LoadSettings
    columns: list[str]
    rows: int
    values: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    command: str = ""

    def lines(self) -> list[str]:
        """Return the explanation as lines of text."""
        lines = [f"{self.rows:,} rows read, with {len(self.columns):,} columns"]
        lines += [f"  {name}: {values}" for name, values in self.values.items()]
        lines += [f"missing: {text}" for text in self.missing]
        return [*lines, *self.remarks, *([self.command] if self.command else [])]


def explain(name: str, format: str | None = None) -> Explanation:
    """Return the map that a file probably needs. Raises OutcomesError if it cannot be read."""
    with open_source(name, format, is_final=True, is_checked=False) as source:
        records = list(_records(source))
        if not records:
            raise OutcomesError(f"{source.name} has no rows to explain")
        columns = list(dict.fromkeys(key for record in records for key in record))
        proposal = _Proposal(name, columns, records)
        new = proposal.explanation()
        if not new.missing:
            new.remarks += _trial(source, new.table, len(records))
    return new


def _records(source: Source) -> Iterator[dict[str, Any]]:
    """Yield the first records of a source, JSON objects with paths one level deep as keys."""
    if source.format != "csv":
        for block in source.blocks(0, 1):
            for number, line in block.lines():
                if number > ROWS_READ or block.start > BYTES_READ:
                    return
                try:
                    yield _flat(validation.json_object(line))
                except InvalidOutcome:
                    continue
        return
    separator, header = csv_header.first_record(source)
    if header is None:
        return
    records = CsvRecords(source, header.start, header.line_number, separator)
    first = next(records)
    if first.fault:
        raise OutcomesError(f"{source.name}: its first line cannot be read: {first.fault}")
    names = [cell.strip() for cell in first.cells]
    for _, record in zip(range(ROWS_READ), records, strict=False):
        if record.start > BYTES_READ:
            return
        yield {name: cell.strip() for name, cell in zip(names, record.cells, strict=False) if name}


def _flat(value: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, item in value.items():
        if isinstance(item, dict) and item:
            flat |= {f"{name}.{inner}": each for inner, each in item.items()}
        else:
            flat[name] = item
    return flat


class _Proposal:
    def __init__(self, name: str, columns: list[str], records: list[dict[str, Any]]) -> None:
        self._name, self._columns, self._records = name, columns, records
        self._free = dict.fromkeys(columns)  # in their order
        self._map: dict[str, str] = {}
        self._new = Explanation(LoadSettings(), columns, len(records))

    def explanation(self) -> Explanation:
        new = self._new
        own = dict(zip(self._columns, csv_header.fields_of(self._columns), strict=True))
        present = {name for name in own.values() if name}
        self._free = {column: None for column, field_name in own.items() if field_name is None}
        for name in SYNONYMS:
            source = None if name in present else self._column(name)
            if source:
                self._map[name] = source
                del self._free[source]
        rules = self._rules(present)
        unit, zone = self._units(), self._zone(own)
        constants = {}
        if "task_type" not in {*present, *self._map}:
            constants["task_type"] = Path(self._name).name.partition(".")[0] or "task"
            new.remarks.append(f"no column is a task type: --task-type gives all rows {constants['task_type']}")
        for name in ("model_id", "timestamp"):
            if name not in {*present, *self._map}:
                new.missing.append(f"{name}: no column has it; name one with --map {name}=COLUMN, or give it for all"
                                   f" rows with --{name.replace('_', '-')}")  # fmt: skip
        if "success" not in {*present, *self._map} and not rules.get("success"):
            new.missing.append(
                "success: no column is a verdict; name a column and its value with --success COLUMN=VALUE"
            )
            self._show_small()
        new.table = LoadSettings(
            map=self._map, unit=unit, zone=zone, columns=constants,
            success=rules.get("success"), timeout=rules.get("timeout"),
        )  # fmt: skip
        new.command = "" if new.missing else self._command(new.table)
        return new

    def _column(self, name: str) -> str | None:
        words = SYNONYMS[name].split()
        squeezed = {
            re.sub(r"[^a-z0-9]", "", column.rpartition(".")[2].lower()): column for column in reversed(self._free)
        }
        near = [word for word in words if word in squeezed]
        if not near and len(squeezed) <= COLUMNS_COMPARED:
            near = [close for word in words if len(word) > 5 for close in get_close_matches(word, squeezed, 1, 0.88)]
        return next((squeezed[word] for word in near if self._is_fit(name, squeezed[word])), None)

    def _is_fit(self, name: str, column: str) -> bool:
        """Return True if the values of a column can be those of a field."""
        values = [record.get(column) for record in self._records[:1_000]]
        given = [value for value in values if value not in (None, "")]
        if not given:
            return name == "error_type"
        if any(isinstance(value, (dict, list)) for value in given):
            return False
        if name in ("success", "timeout"):
            return all(spellings.verdict(value) is not None for value in given)
        if name == "timestamp":
            return all(spellings.moment(value) or spellings.has_no_offset(value) for value in given)
        if name in (*spellings.COUNTS, *spellings.AMOUNTS):
            numbers = [spellings.amount(value) if isinstance(value, str) else value for value in given]
            is_share = name != "score" or all(number is not None and 0 <= number <= 1 for number in numbers)
            return is_share and sum(number is not None for number in numbers) * 2 > len(numbers)
        return name != "event_id" or len({*map(str, given)}) == len(given)

    def _rules(self, present: set[str]) -> dict[str, str]:
        rules: dict[str, str] = {}
        for column in [column for column in self._columns if column.rpartition(".")[2].lower() in RULE_COLUMNS]:
            counts = self._counts(column)
            self._new.values[short_name(column)] = _counted(counts)
            good = [value for value in counts if value.strip().lower() in SUCCESS_VALUES]
            late = [value for value in counts if value.strip().lower() in TIMEOUT_VALUES]
            if good and "success" not in {*present, *self._map}:
                rules.setdefault("success", f"{column}={','.join(good)}")
            if late and "timeout" not in {*present, *self._map}:
                rules.setdefault("timeout", f"{column}={','.join(late)}")
        return rules

    def _show_small(self) -> None:
        for column in [*self._free][:COLUMNS_COMPARED]:
            counts = self._counts(column)
            if 1 < len(counts) <= VALUES_SHOWN:
                self._new.values.setdefault(short_name(column), _counted(counts))

    def _counts(self, column: str) -> Counter[str]:
        counts: Counter[str] = Counter()
        for record in self._records:
            value = record.get(column)
            if value not in (None, "") and (len(counts) < VALUES_COUNTED or str(value) in counts):
                counts[str(value)] += 1
        return counts

    def _units(self) -> dict[str, str]:
        column = self._map.get("duration_ms", "")
        squeezed = re.sub(r"[^a-z]", "", column.lower())
        if not column or squeezed.endswith("ms"):
            return {}
        if not SECONDS.search(column):
            self._new.remarks.append(f"{short_name(column)} has no unit in its name: --unit reads it as seconds")
        return {"duration": "seconds"}

    def _zone(self, own: dict[str, str | None]) -> str | None:
        column = self._map.get("timestamp") or next((name for name, each in own.items() if each == "timestamp"), None)
        if column is None or not any(spellings.has_no_offset(record.get(column)) for record in self._records):
            return None
        self._new.remarks.append(
            f"{short_name(column)} has times without an offset: replace UTC by the zone they are in"
        )
        return "UTC"

    def _command(self, table: LoadSettings) -> str:
        parts = ["loader", "load"]
        if table.map:
            parts += ["--map", ",".join(_quoted(f"{name}={column}") for name, column in table.map.items())]
        for option in ("success", "timeout", "zone"):
            if text := getattr(table, option):
                parts += [f"--{option}", text]
        parts += [part for name, unit in table.unit.items() for part in ("--unit", f"{name}={unit}")]
        parts += [part for name, text in table.columns.items() for part in (f"--{name.replace('_', '-')}", text)]
        return shlex.join([*parts, *(["--"] if self._name.startswith("-") and self._name != "-" else []), self._name])


def _quoted(pair: str) -> str:
    """Return a pair as `--map` reads it: in quotes if it has a comma."""
    return '"' + pair.replace('"', '""') + '"' if "," in pair or '"' in pair else pair


def _counted(counts: Counter[str]) -> str:
    shown = ", ".join(f"{short(value)[1:-1]} ({count:,})" for value, count in counts.most_common(VALUES_SHOWN))
    more = len(counts) - VALUES_SHOWN
    return f"{shown} and {more:,} more" if more > 0 else shown


def _trial(source: Source, table: LoadSettings, rows: int) -> list[str]:
    """Return what the map makes of the rows that were read."""
    parser = Parser(outcome.horizon(clock.utc_now()), Refusals(room=0), field_map=FieldMap.of(table))
    accepted = 0
    for batch in parser.batches(source, 0, 1):
        accepted += len(batch.rows)
        if accepted + parser.refusals.count >= rows:
            break
    total = accepted + parser.refusals.count
    return [f"{accepted:,} of the first {total:,} rows are outcomes with this command:"] + [
        f"  {line}" for line in reason_lines(parser.refusals.reasons)
    ]

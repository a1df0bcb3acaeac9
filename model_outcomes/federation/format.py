"""Defines the file format `federated_stats`, version 1, writes its lines and checks them. The JSON Schema
`federated_stats.schema.json` is generated from these structs (`python -m model_outcomes.federation.format`).

A file is JSON Lines: for each export a header and its rows. The rows of an exact export have every field, those of
the window `opening` the fields that opening balances have, and those of a noisy export (one with an epsilon) only
successes, failures and the variance of the noise.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from model_outcomes.base import console
from model_outcomes.base.messages import mismatch, short
from model_outcomes.federation import windows

FORMAT = "federated_stats"
VERSION = 1
SCHEMA_FILE = Path(__file__).with_name("federated_stats.schema.json")

# A name must not be a path, begin or end with a blank, or hold a character that controls a terminal.
# `$(?!\n)`, because in Python `$` also matches before a last newline.
NAME_PATTERN = (
    r"^(?![~./ ])(?!.:[/\\])(?!.*(?://|/\.|\\|/$| $))"
    r"[^\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]+$(?!\n)"
)
Name = Annotated[str, Meta(min_length=1, max_length=200, pattern=NAME_PATTERN)]
LICENCE_PATTERN = r"^[A-Za-z0-9 .+()-]{1,100}$(?!\n)"
Count = Annotated[int, Meta(ge=0, le=10**9)]
NoisyCount = Annotated[int, Meta(ge=-(10**9), le=10**9)]
Sum = Annotated[int, Meta(ge=0, le=10**18)]
# A sum above 10^18 is exported as units of CARRY_UNIT and a rest: JSON readers, and SQLite, hold 64 bits.
CARRY_UNIT = 10**11
Carry = Annotated[int, Meta(ge=1, le=10**15)]
SquareSum = Annotated[float, Meta(ge=0, le=1e36)]
Day = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$(?!\n)")]
Digits = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}$(?!\n)")]


class Privacy(msgspec.Struct, forbid_unknown_fields=True):
    """The smallest number of outcomes in a row, and the noise in the rows."""

    min_outcomes: Annotated[int, Meta(ge=1, le=10**9, description="Cells with fewer outcomes were held back.")]
    epsilon: Annotated[float, Meta(gt=0, le=100)] | None = None
    mechanism: Literal["discrete_laplace"] | None = None


class Header(msgspec.Struct, forbid_unknown_fields=True, tag_field="line", tag="header"):
    """The header of an export. The rows of the export follow it."""

    format: Literal["federated_stats"]
    version: Literal[1]
    project: Annotated[Digits, Meta(description="Pseudonym of the project: random, and always the same.")]
    window: Annotated[
        str,
        Meta(
            pattern=r"^(opening|\d{4}-\d\d-\d\d/\d{4}-\d\d-\d\d)$(?!\n)",
            description="opening, or the first and last UTC day, both included.",
        ),
    ]
    as_of: Annotated[
        str,
        Meta(
            pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z$(?!\n)",
            description="Time of the export. Of two exports of a window the later one is valid.",
        ),
    ]
    licence: Annotated[str, Meta(pattern=LICENCE_PATTERN)]
    privacy: Privacy
    rows: Annotated[int, Meta(ge=0, le=100_000)]
    sha256: Annotated[
        str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)", description="Digest of the rows, each with its newline.")
    ]

    def faults(self, now: datetime) -> list[str]:
        """Return the faults that concern several fields; `now` is in UTC."""
        faults, span, moment = [], None, None
        try:
            span = windows.span(self.window)
        except ValueError as fault:
            faults.append(f"window: {fault}")
        try:
            moment = datetime.fromisoformat(self.as_of.removesuffix("Z")).replace(tzinfo=timezone.utc)
        except ValueError as fault:
            faults.append(f"as_of: {fault}")
        if moment and moment > now + timedelta(days=1):
            faults.append("as_of: is in the future")
        # A window ends with a day that is over. One day of grace is for clocks that run fast.
        if span and span[1] >= now.date() + timedelta(days=1):
            faults.append("window: is in the future")
        elif span and moment and span[1] >= moment.date():
            faults.append("window: was not over at as_of")
        if (self.privacy.epsilon is None) != (self.privacy.mechanism is None):
            faults.append("privacy: epsilon and mechanism come together")
        return faults


class Row(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="line", tag="row", omit_defaults=True):
    """One task type and model. Sums of tokens are over trials (`n` minus infrastructure failures), sums of cost over
    priced trials. Costs are whole billionths of a US dollar, their squares US dollars squared."""

    task_type: Name
    model_id: Name
    outcomes: Annotated[Count, Meta(description="All outcomes.")] | None = msgspec.field(default=None, name="n")
    successes: NoisyCount
    failures: Annotated[NoisyCount, Meta(description="Noisy exports only.")] | None = None
    timeouts: Count | None = None
    infrastructure_failures: Count | None = None
    metered_trials: Annotated[Count, Meta(description="Trials with known tokens.")] | None = msgspec.field(
        default=None, name="metered"
    )
    priced_trials: Annotated[Count, Meta(description="Trials with a known cost.")] | None = msgspec.field(
        default=None, name="priced"
    )
    priced_successes: Count | None = None
    tokens: Sum | None = None
    tokens_squared: SquareSum | None = None
    cost_nano_usd: Sum | None = None
    cost_usd_squared: SquareSum | None = None
    success_cost_nano_usd: Annotated[Sum, Meta(description="Sum of cost x success.")] | None = None
    infrastructure_tokens: Sum | None = None
    infrastructure_cost_nano_usd: Sum | None = None
    tokens_carry: Annotated[Carry, Meta(description="Units of 10^11 to add to tokens, only above 10^18.")] | None = None
    cost_carry: Annotated[Carry, Meta(description="Units of 10^11 to add to cost_nano_usd.")] | None = None
    success_cost_carry: Annotated[Carry, Meta(description="The same of success_cost_nano_usd.")] | None = None
    infrastructure_tokens_carry: Annotated[Carry, Meta(description="The same of infrastructure_tokens.")] | None = None
    infrastructure_cost_carry: Annotated[Carry, Meta(description="The same of its cost.")] | None = None
    first_day: Day | None = None
    last_day: Day | None = None
    noise_variance: (
        Annotated[
            float,
            Meta(gt=0, le=1e12, description="Noisy exports only: 2/epsilon^2 for each draw in the two counts."),
        ]
        | None
    ) = None

    def faults(self, header: Header) -> list[str]:
        """Return the faults that concern several fields, or the kind of the export."""
        given = {field.name for field in _FIELDS[Row] if getattr(self, field.name) is not None}
        kind = NOISY if header.privacy.epsilon else BALANCES if header.window == windows.OPENING else EXACT
        names = {field.name: field.encode_name for field in _FIELDS[Row]}
        faults = [f"{names[name]}: is missing" for name in names if name in kind - given]
        allowed = kind | {CARRIES[name] for name in kind & CARRIES.keys()}
        faults += [f"{names[name]}: is not allowed in this kind of export" for name in names if name in given - allowed]
        if faults or kind == NOISY:
            return faults or self._noise_faults(header)
        return [*self._sum_faults(), *self._day_faults(header)]

    def total(self, name: str) -> int | None:
        """Return the sum `name` with its carry, or None if the row does not have it."""
        rest: int | None = getattr(self, name)
        return None if rest is None else rest + CARRY_UNIT * (getattr(self, CARRIES[name]) or 0)

    def _noise_faults(self, header: Header) -> list[str]:
        squared = (header.privacy.epsilon or 1.0) ** 2  # 0 for a very small epsilon
        scaled_variance = (self.noise_variance or 0) * squared
        return [] if scaled_variance >= 2 * (1 - 1e-9) else ["noise_variance: is below 2/epsilon^2"]

    def _sum_faults(self) -> Iterator[str]:
        n, trials = self.outcomes or 0, (self.outcomes or 0) - (self.infrastructure_failures or 0)
        tokens, cost = self.total("tokens") or 0, self.total("cost_nano_usd") or 0
        limits: list[tuple[str, int | None, str, int]] = [
            ("successes", -self.successes, "0", 0),
            ("successes", self.successes, "n", n),
            ("timeouts", self.timeouts, "n - successes", n - self.successes),
            ("infrastructure_failures", self.infrastructure_failures, "n - successes", n - self.successes),
            ("metered", self.metered_trials, "n - infrastructure_failures", trials),
            ("metered", self.metered_trials, "tokens", tokens),
            ("priced", self.priced_trials, "n - infrastructure_failures", trials),
            ("priced_successes", self.priced_successes, "priced", self.priced_trials or 0),
            ("priced_successes", self.priced_successes, "successes", self.successes),
            ("success_cost_nano_usd", self.total("success_cost_nano_usd"), "cost_nano_usd", cost),
        ]
        for name, value, bound, limit in limits:
            if value is not None and value > limit:
                yield f"{name}: is negative" if bound == "0" else f"{name}: exceeds {bound}"
        if self.metered_trials == 0 and tokens:
            yield "tokens: needs a metered trial"
        if self.priced_trials == 0 and cost:
            yield "cost_nano_usd: needs a priced trial"
        # By the Cauchy-Schwarz inequality, (sum x)^2 <= n * sum x^2 <= n * (sum x)^2.
        for name, count, total, squares in (
            ("tokens_squared", self.metered_trials, float(tokens), self.tokens_squared),
            ("cost_usd_squared", self.priced_trials, cost / 1e9, self.cost_usd_squared),
        ):
            if count and squares is not None and not (
                total**2 / count * (1 - 1e-6) <= squares <= total**2 * (1 + 1e-6)
            ):  # fmt: skip
                yield f"{name}: cannot be the sum of squares for this sum"

    def _day_faults(self, header: Header) -> list[str]:
        span = windows.span(header.window) if header.window != windows.OPENING else None
        if span is None:
            return []
        try:
            first_day, last_day = date.fromisoformat(self.first_day or ""), date.fromisoformat(self.last_day or "")
        except ValueError as fault:
            return [f"first_day, last_day: {fault}"]
        faults = ["first_day: is after last_day"] if first_day > last_day else []
        return faults + ([f"last_day: is after the window {header.window}"] if last_day > span[1] else [])


_FIELDS: dict[type, tuple[Any, ...]] = {struct: msgspec.structs.fields(struct) for struct in (Privacy, Header, Row)}
_CELL = {"task_type", "model_id", "successes"}
CARRIES = {
    "tokens": "tokens_carry",
    "cost_nano_usd": "cost_carry",
    "success_cost_nano_usd": "success_cost_carry",
    "infrastructure_tokens": "infrastructure_tokens_carry",
    "infrastructure_cost_nano_usd": "infrastructure_cost_carry",
}
NOISY = _CELL | {"failures", "noise_variance"}
EXACT = {field.name for field in _FIELDS[Row]} - {"failures", "noise_variance", *CARRIES.values()}
BALANCES = _CELL | {"outcomes", "timeouts", "infrastructure_failures", "tokens", "cost_nano_usd"}
# The figures of exact rows, in the order of the columns of their tables.
FIGURES = tuple(
    field.name for field in _FIELDS[Row] if field.name not in {"task_type", "model_id", "failures", "noise_variance"}
)


class Export(msgspec.Struct, frozen=True):
    """One export: its header, its rows, and both as text."""

    header: Header
    rows: list[Row]
    text: str


def render(header: Mapping[str, Any], rows: Iterable[Row]) -> Export:
    """Return an export with its rows sorted by name. `header` lacks only the number of rows and the digest."""
    ordered = sorted(rows, key=lambda row: (row.task_type, row.model_id))
    body = b"".join(_line(row) for row in ordered)
    head = msgspec.convert(
        {"line": "header", "format": FORMAT, "version": VERSION, **header,
         "rows": len(ordered), "sha256": hashlib.sha256(body).hexdigest()}, Header,
    )  # fmt: skip
    return Export(head, ordered, (_line(head) + body).decode())


def _line(struct: Header | Row) -> bytes:
    """Return a line of the file, safe to print to a terminal."""
    return console.escaped(msgspec.json.encode(struct).decode()).encode() + b"\n"


def checked(struct: type[Any], values: Any) -> tuple[Any | None, list[str]]:
    """Return `values`, read from JSON, as a Privacy, Header or Row, or None and every fault in them."""
    if not isinstance(values, dict):
        return None, ["is not an object"]
    faults = []
    fields = {field.encode_name: field for field in _FIELDS[struct]}
    for name in values.keys() - fields.keys() - {"line"}:
        faults.append(f"{short(name)}: the schema has no such field")
    for name, field in fields.items():
        if field.type is Privacy and name in values:
            faults += [f"{name}.{fault}" for fault in checked(Privacy, values[name])[1]]
        elif name in values:
            try:
                msgspec.convert(values[name], field.type)
            except msgspec.ValidationError as fault:
                faults.append(f"{name}: {_problem(fault)}, got {short(values[name])}")
        elif field.required:
            faults.append(f"{name}: is missing")
    return (None, sorted(faults)) if faults else (msgspec.convert(values, struct), [])


def _problem(fault: msgspec.ValidationError) -> str:
    problem = mismatch(fault).problem
    return "does not match the pattern in the schema" if "matching regex" in problem else problem


def schema() -> str:
    """Return the published JSON Schema of a line, as text."""
    body = msgspec.json.schema(Header | Row)
    title = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{FORMAT}, version {VERSION}: one line of a file",
    }
    # Only Python needs the lookahead; elsewhere `$` matches at the end alone.
    return json.dumps(title | body, indent=2).replace(r"$(?!\\n)", "$") + "\n"


if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema(), encoding="utf-8")

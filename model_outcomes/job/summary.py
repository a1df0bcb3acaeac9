"""The summary of a run: the result of each step, findings, changes and the exit code."""

from __future__ import annotations

from typing import Any

import msgspec

from model_outcomes.answers.caveats import Caveat
from model_outcomes.base import console
from model_outcomes.base.engines import SQLITE
from model_outcomes.base.errors import EXIT_BUSY, EXIT_ERROR, EXIT_FAILED, EXIT_REJECTED
from model_outcomes.job.findings import Changes, Findings

# A run may have several faults; the first of these codes that applies is its exit code.
PRECEDENCE = (EXIT_ERROR, EXIT_BUSY, EXIT_FAILED, EXIT_REJECTED)


class InboxSummary(msgspec.Struct):
    """The files of the inbox by what happened to them; `known` counts the unchanged ones."""

    loaded: list[dict[str, Any]] = []
    being_written: list[str] = []
    ignored: list[str] = []
    faulty: dict[str, str] = {}
    known: int = 0


class UnresolvedRejects(msgspec.Struct):
    """Rejected lines that are not forgotten, the time of the first load that had some, and the files that had them (at
    most 20, the newest first). `faulty_files` counts the files of the inbox that cannot be read and have not changed
    since."""

    since: str | None
    lines: int = 0
    files: list[str] = []
    faulty_files: int = 0


class BuildSummary(msgspec.Struct):
    """The number of dbt nodes that ran, the seconds that the build took, and the nodes that failed, with their
    messages. run_results.json in the folder of the run has the seconds of each node. If the last build was current, the
    build was skipped."""

    nodes: int = 0
    seconds: float = 0.0
    failures: list[dict[str, Any]] = []
    skipped: bool = False


class Summary(msgspec.Struct):
    """The summary that `loader run` prints as JSON and writes to summary.json. A step that did not run is null."""

    run_id: str | None
    database: str
    target: str = SQLITE
    status: str = "running"
    exit_code: int = 0
    started_at: str = ""
    finished_at: str = ""
    seconds: float = 0.0
    folder: str | None = None
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    spool: dict[str, Any] | None = None
    legacy: dict[str, Any] | None = None
    inbox: InboxSummary | None = None
    uok: dict[str, Any] | None = None
    carried: dict[str, Any] | None = None
    build: BuildSummary | None = None
    findings: Findings | None = None
    changes: Changes | None = None
    caveats: list[Caveat] | None = None
    published: dict[str, Any] | None = None
    unresolved_rejects: UnresolvedRejects | None = None
    faults: list[str] = []

    def as_json(self) -> str:
        """Return the summary as JSON. Bytes of a path that are not UTF-8 are shown as \\xff."""
        try:
            encoded = msgspec.json.encode(self)
        except UnicodeEncodeError:
            encoded = msgspec.json.encode(_as_text(msgspec.to_builtins(self)))
        return console.escaped(msgspec.json.format(encoded, indent=2).decode())


def _as_text(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_as_text(name): _as_text(item) for name, item in value.items()}
    return [_as_text(item) for item in value] if isinstance(value, list) else value


def exit_code(codes: set[int]) -> int:
    """Return the first of PRECEDENCE that is among `codes`; 0 if there was no fault."""
    return next((code for code in PRECEDENCE if code in codes), max(codes, default=0))

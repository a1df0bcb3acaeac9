"""Checks the content of the database for `loader doctor`: the last run, and the caveats of the data."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from model_outcomes.answers.caveats import DAY_S, Caveat, read
from model_outcomes.base import clock, paths

MISSED_AFTER_S = 2 * 86_400.0
UNIT_S = {"minute": 60.0, "hour": 3_600.0, "day": 86_400.0}


class Finding(msgspec.Struct):
    """The result of a check: a sentence, what to do next, the figures behind it, and the places as texts."""

    check: str
    status: Literal["ok", "warning", "error"]
    message: str
    next_step: str | None = None
    details: dict[str, Any] = {}
    places: list[str] = []


def last_run(connection: sqlite3.Connection, database: Path) -> Finding:
    """Return the status of the last run, with a warning if the last run is too long ago."""
    row = connection.execute("select * from run_history order by run_id desc limit 1").fetchone()
    if row is None:
        return Finding("last run", "warning", "there was none", "schedule `loader run`: docs/guides/scheduling.md")
    details = {name: row[name] for name in ("run_id", "status", "exit_code", "started_at", "finished_at", "message")}
    message = f"{row['run_id']} {row['status']}" + (f": {row['message']}" if row["message"] else "")
    if row["status"] == "running":
        return Finding("last run", "ok", message, None, details)
    if row["status"] != "succeeded":
        step = f"see {paths.runs(database) / row['run_id'] / 'summary.json'}, then: loader run"
        return Finding("last run", "error" if row["status"] == "failed" else "warning", message, step, details)
    if _age(row["started_at"]) > MISSED_AFTER_S:
        step = "check whether its schedule still works: docs/guides/scheduling.md"
        return Finding("last run", "warning", f"{message}, no run since", step, details)
    return Finding("last run", "ok", message, None, details)


def caveats(connection: sqlite3.Connection, database: Path) -> list[Finding]:
    """Return a finding per caveat of the data: a warning if there is something to do about it."""
    listed = read(connection, None, clock.utc_now(), stale_after_s(database))
    if not listed:
        return [Finding("caveats", "ok", "none")]
    return [_finding(caveat) for caveat in listed]


def _finding(caveat: Caveat) -> Finding:
    return Finding(
        caveat.kind.value.replace("_", " "),
        "warning" if caveat.next_step else "ok",
        f"{caveat.title}. {caveat.consequence}",
        caveat.next_step,
        msgspec.to_builtins(caveat),
        caveat.place_texts(),
    )


def _age(text: str) -> float:
    """Return the seconds since a time of the log; one without offset is UTC."""
    moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    now = clock.utc_now()
    return (now - (moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo))).total_seconds()


def stale_after_s(database: Path) -> float:
    """Return the number of seconds without an outcome after which dbt warns, as of the last build."""
    manifest = paths.build_folder(database) / "target" / "manifest.json"
    try:
        sources = json.loads(manifest.read_text(encoding="utf-8"))["sources"].values()
        (after,) = [source["freshness"]["warn_after"] for source in sources if source["name"] == "model_outcomes"]
        return float(after["count"] * UNIT_S[after["period"]])
    except (OSError, ValueError, KeyError, TypeError):
        return DAY_S

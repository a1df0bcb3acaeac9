"""The checks of `loader doctor` that ask the database: how runs went, what came in, what nobody knows."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from loader import places, store
from loader.pipeline import rejects as refused

SHOWN = 5
UNPRICED_LIMIT = 0.5
STALE_AFTER = 86_400.0  # seconds, where dbt has not said yet
MISSED_AFTER = 2 * 86_400.0
UNITS = {"minute": 60.0, "hour": 3_600.0, "day": 86_400.0}


class Finding(msgspec.Struct):
    """What a check found, what to do about it, and the figures behind it."""

    check: str
    status: Literal["ok", "warning", "error"]
    found: str
    next_step: str | None = None
    details: dict[str, Any] = {}


def last_run(connection: sqlite3.Connection, database: Path) -> Finding:
    row = connection.execute("select * from run_history order by run_id desc limit 1").fetchone()
    if row is None:
        return Finding("last run", "warning", "there was none", "schedule `loader run`: docs/scheduling.md")
    details = {name: row[name] for name in ("run_id", "status", "exit_code", "started_at", "finished_at", "message")}
    said = f"{row['run_id']} {row['status']}" + (f": {row['message']}" if row["message"] else "")
    if row["status"] == "running":
        return Finding("last run", "ok", said, None, details)
    if row["status"] != "succeeded":
        step = f"see {places.runs(database) / row['run_id'] / 'summary.json'}, then: loader run"
        return Finding("last run", "error" if row["status"] == "failed" else "warning", said, step, details)
    if _age(row["started_at"]) > MISSED_AFTER:
        step = "see whether its schedule still works: docs/scheduling.md"
        return Finding("last run", "warning", f"{said}, and none since", step, details)
    return Finding("last run", "ok", said, None, details)


def freshness(connection: sqlite3.Connection, database: Path) -> Finding:
    newest = connection.execute(
        "select timestamp from model_outcomes where timestamp <= ? order by timestamp desc limit 1",
        (store.to_text(store.utc_now()),),
    ).fetchone()
    if newest is None:
        return Finding("freshness", "warning", "the log is empty", "loader load FILE, or loader record")
    age, limit = _age(newest[0]), _stale_after(database)
    details = {"newest_at": newest[0], "age_seconds": round(age), "limit_seconds": limit}
    said = f"the newest outcome is {age / 3600:,.1f} hours old"
    if age > limit:
        return Finding("freshness", "warning", said, "see whether the agents still record, and where to", details)
    return Finding("freshness", "ok", said, None, details)


def rejects(connection: sqlite3.Connection, database: Path) -> Finding:
    """Warn of every refused line, and of files of the inbox that cannot be read."""
    rows = connection.execute(
        # The wrong value differs from line to line, and is no part of the reason.
        """
        select
            case when instr(value, ', got ') then substr(value, 1, instr(value, ', got ') - 1) else value end as reason,
            count(*) as lines, max(source) as source
        from rejected_outcomes, json_each(rejected_outcomes.reasons)
        group by 1 order by 2 desc, 1
        """
    ).fetchall()
    recent = refused.unresolved(connection)
    details = {"reasons": {row["reason"]: row["lines"] for row in rows}, **msgspec.to_builtins(recent)}
    if not rows and not recent.faulty_files:
        return Finding("rejects", "ok", "no line was refused", None, details)
    shown = [f"{row['lines']:,} x {row['reason']} (such as in {row['source']})" for row in rows[:SHOWN]]
    shown += [f"{recent.lines:,} lines of the last {refused.REJECTS_DAYS} days"] if recent.lines else []
    shown += [f"{recent.faulty_files:,} files of the inbox cannot be read"] if recent.faulty_files else []
    step = "mend what writes them: select * from rejected_outcomes; select path, fault from inbox_files"
    return Finding("rejects", "warning", "; ".join(shown), step, details)


def degenerate_recorders(connection: sqlite3.Connection, database: Path) -> Finding:
    found = [row[0] for row in connection.execute(
        "select distinct task_type from model_rankings where is_degenerate = 1 order by 1")]  # fmt: skip
    if not found:
        return Finding("degenerate recorders", "ok", "every large task type knows success and failure")
    said = f"of {', '.join(found)} every trial succeeded, or every one failed"
    step = "see whether whoever records these really looks at the result"
    return Finding("degenerate recorders", "warning", said, step, {"task_types": found})


def unpriced(connection: sqlite3.Connection, database: Path) -> Finding:
    trials, priced = connection.execute(
        "select coalesce(sum(trials - legacy_successes - legacy_failures), 0), coalesce(sum(priced_trials), 0)"
        " from model_stats"
    ).fetchone()
    share = 1 - priced / trials if trials else 0.0
    said = f"{share:.0%} of the trials have no known cost"
    details = {"unpriced_share": share, "trials": trials}
    if share > UNPRICED_LIMIT:
        return Finding("unpriced", "warning", said, "record cost_usd: costs per success rest on the rest", details)
    return Finding("unpriced", "ok", said, None, details)


def unknown_models(connection: sqlite3.Connection, database: Path) -> Finding:
    """Names in the seeds that nobody recorded, and recorded names that differ in case or marks alone. Of
    experiments those that are over are history, whoever was in them."""
    recorded = {row[0] for row in connection.execute("select distinct model_id from model_stats")}
    aliases = {row[0] for row in connection.execute("select alias from model_aliases")}
    going_on = "coalesce(ended_at, '') = '' or ended_at > :now"
    seeds = {
        row[0]: row[1]
        for row in connection.execute(
            "select model_id, 'incumbents' from incumbents"
            f" union all select incumbent_model_id, 'ab_experiments' from ab_experiments where {going_on}"
            f" union all select challenger_model_id, 'ab_experiments' from ab_experiments where {going_on}",
            {"now": store.to_text(store.utc_now())},
        )
    }
    absent = {name: seed for name, seed in seeds.items() if name not in recorded | aliases}
    alike: dict[str, list[str]] = {}
    for name in sorted(recorded):
        alike.setdefault("".join(filter(str.isalnum, name.lower())), []).append(name)
    twins = [each for each in alike.values() if len(each) > 1]
    details = {"not_recorded": absent, "alike": twins}
    if not absent and not twins:
        return Finding("unknown models", "ok", "the seeds name no model that nobody recorded", None, details)
    said = [f"nobody recorded {name}, which the seed {seed} names" for name, seed in absent.items()]
    said += [f"{' and '.join(each)} may be one model" for each in twins]
    step = "mend the seed, or say in seeds/model_aliases.csv which names are one model"
    return Finding("unknown models", "warning", "; ".join(said[:SHOWN]), step, details)


def unknown_error_types(connection: sqlite3.Connection, database: Path) -> Finding:
    rows = connection.execute(
        "select error_type, sum(outcomes) as outcomes from int_outcomes_totals"
        " where is_success = 0 and error_type <> '' and error_type not in (select error_type from error_types)"
        " group by error_type order by 2 desc, 1"
    ).fetchall()
    details = {"error_types": {row["error_type"]: row["outcomes"] for row in rows}}
    if not rows:
        return Finding("unknown error types", "ok", "every error type is attributed", None, details)
    said = ", ".join(f"{row['error_type']} ({row['outcomes']:,})" for row in rows[:SHOWN])
    step = "say in seeds/error_types.csv whose failures they are; until then they count against the model"
    return Finding("unknown error types", "warning", said, step, details)


CHECKS = (last_run, freshness, rejects, degenerate_recorders, unpriced, unknown_models, unknown_error_types)


def _age(text: str) -> float:
    """Seconds since a time of the log; one without offset is UTC."""
    moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    now = store.utc_now()
    return (now - (moment if moment.tzinfo else moment.replace(tzinfo=now.tzinfo))).total_seconds()


def _stale_after(database: Path) -> float:
    """The limit that dbt warns after, as the last build knew it."""
    manifest = places.build_folder(database) / "target" / "manifest.json"
    try:
        sources = json.loads(manifest.read_text(encoding="utf-8"))["sources"].values()
        (after,) = [source["freshness"]["warn_after"] for source in sources if source["name"] == "model_outcomes"]
        return float(after["count"] * UNITS[after["period"]])
    except (OSError, ValueError, KeyError, TypeError):
        return STALE_AFTER

"""Runs dbt's commands for `builds`, in a process of its own that can be stopped at any moment.

`builds` passes a request as JSON: `commands` (a list of dbt's arguments for each), `results` and `rules` (the files for
the results and for the checked rules) and `lock` (the file to lock meanwhile). The process ends when the process that
started it ends: then its standard input closes. The next process waits for the lock until then.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from model_outcomes.base import console, locks, outputs
from model_outcomes.warehouse import rules

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunner

LOCK_TIMEOUT_S = 30.0


def main(request_json: str) -> None:
    """Run the commands of a request, and write whether each succeeded, with dbt's error message."""
    request = json.loads(request_json)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    with console.guarding():
        runner = _import_dbt()
        checked = rules.report_rules()
        with locks.exclusive(Path(request["lock"]), "dbt", wait=LOCK_TIMEOUT_S):
            outcomes = [runner().invoke(arguments) for arguments in request["commands"]]
    results = [
        {"success": outcome.success, "fault": None if outcome.exception is None else str(outcome.exception)}
        for outcome in outcomes
    ]
    if checked:
        Path(request["rules"]).write_bytes(msgspec.json.encode(checked))
    with outputs.replacing(Path(request["results"])) as unfinished:
        unfinished.write_text(json.dumps(results), encoding="utf-8")


def _import_dbt() -> type[dbtRunner]:
    """Return dbt's runner. The import is here because it takes over a second."""
    # Imported modules and the parsed project stay in memory: searching them for garbage only costs time.
    gc.disable()
    from dbt.cli.main import dbtRunner

    _ignore_database_path()
    _drop_events_early()
    _write_artifacts_once()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)
    gc.enable()
    return dbtRunner


def _ignore_database_path() -> None:
    """Remove the path of the database from the connection keys of dbt-sqlite. dbt parses the whole project again if
    a connection key has changed. The path has no effect on parsing, so a moved or another database needs no new
    parsing (`DBT_PARTIAL_PARSE_FILE_PATH`)."""
    with contextlib.suppress(ImportError):
        from dbt.adapters.sqlite.connections import SQLiteCredentials

        SQLiteCredentials._connection_keys = lambda _: ["database", "schema"]  # type: ignore[method-assign]


def _drop_events_early() -> None:
    """Drop an event that no log will have, before dbt makes a message of it, and two lines. There are thousands, and
    they took a fifth of a build's time."""
    from dbt_common.events.base_types import BaseEvent, EventLevel
    from dbt_common.events.event_manager import EventManager

    fire_event = EventManager.fire_event

    def fire(self: EventManager, e: BaseEvent, level: EventLevel | None = None, *args: Any, **options: Any) -> None:
        is_debug = (level or e.level_tag()) == EventLevel.DEBUG
        if not is_debug or any(logger.level == EventLevel.DEBUG for logger in self.loggers):
            fire_event(self, e, level, *args, **options)

    EventManager.fire_event = fire  # type: ignore[method-assign]


def _write_artifacts_once() -> None:
    """Write the manifest only at the end of a command, and not after parsing, too. Encode it at once: json.dump makes
    half a million pieces of it, in Python, where json.dumps makes one text, in C."""
    from dbt.artifacts.schemas import base
    from dbt.parser import manifest
    from dbt.task import runnable  # it imports write_manifest before the next lines
    from dbt_common.utils.encoding import JSONEncoder

    def write_json(path: str, data: dict[str, Any]) -> bool:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(json.dumps(data, cls=JSONEncoder), encoding="utf-8")
        return True

    base.write_json = write_json  # type: ignore[attr-defined]
    assert "write_manifest" in vars(runnable)
    manifest.write_manifest = lambda *_, **__: None


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os._exit(1)

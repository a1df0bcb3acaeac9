"""dbt in a process of its own, which can be stopped at any moment. `builds` starts it with a REQUEST.

REQUEST is JSON: `commands` (each a list of dbt's arguments), `results` (the file that says what came of
them), `lock`, and `log`, the file to whose writers dbt gives way (null on other engines than SQLite). The
process ends with the one that started it, whose end it sees on standard input; the lock keeps the next one
waiting until then.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib.util
import json
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from model_outcomes.base import console, locks, outputs
from model_outcomes.warehouse import pacing

if TYPE_CHECKING:
    from dbt.cli.main import dbtRunner

PATIENCE = 30.0
SQLITE_CONFIG_MEMSTATUS = 9


def main(request: str) -> None:
    asked = json.loads(request)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _count_no_memory()
    # Around the imports too: they keep a core busy, and by the first node it is known whether anybody records.
    pacer = pacing.Pace(Path(asked["log"])) if asked["log"] else contextlib.nullcontext()
    with console.guarding(), pacer as pace:
        runner = _import_dbt()
        came = []
        with locks.exclusive(Path(asked["lock"]), "dbt", wait=PATIENCE):
            for arguments in asked["commands"]:
                outcome = runner(callbacks=[pace] if pace else []).invoke(arguments)
                fault = outcome.exception
                came.append({"success": outcome.success, "fault": str(fault) if fault is not None else None})
    with outputs.replacing(Path(asked["results"])) as unfinished:
        unfinished.write_text(json.dumps(came), encoding="utf-8")


def _import_dbt() -> type[dbtRunner]:
    """Return dbt's runner. The import is here and not at the top, because it takes over a second."""
    # What is imported stays, and so does what dbt reads of the project: to look through it for garbage takes long.
    gc.disable()
    from dbt.cli.main import dbtRunner

    _forget_paths_of_databases()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)
    gc.enable()
    return dbtRunner


def _forget_paths_of_databases() -> None:
    """Let dbt-sqlite leave the path of the database out of what it tells of a connection. dbt reads the whole project
    again if anything of that has changed since the last time. The path changes nothing of what it reads, so a
    database that was moved, or another one, needs no new reading (`DBT_PARTIAL_PARSE_FILE_PATH`)."""
    with contextlib.suppress(ImportError):
        from dbt.adapters.sqlite.connections import SQLiteCredentials

        SQLiteCredentials._connection_keys = lambda _: ["database", "schema"]  # type: ignore[method-assign]


def _count_no_memory() -> None:
    """Let SQLite not count the bytes that it allocates. It counts them under one lock of the process, for which two
    threads of dbt would wait at every allocation. SQLite only takes the setting before it starts
    (https://sqlite.org/c3ref/c_config_covering_index_scan.html). If it does not take it, builds are slower."""
    module = importlib.util.find_spec("_sqlite3")
    try:
        library = ctypes.CDLL(module.origin if module else None)
        library.sqlite3_config.argtypes = [ctypes.c_int]  # the others are variadic
        if library.sqlite3_shutdown() == 0:
            library.sqlite3_config(SQLITE_CONFIG_MEMSTATUS, ctypes.c_int(0))
            library.sqlite3_initialize()
    except (OSError, AttributeError):
        return


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os._exit(1)

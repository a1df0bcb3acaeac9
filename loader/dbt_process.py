"""dbt in a process of its own, which can be stopped at any moment: `python -m loader.dbt_process REQUEST`.

REQUEST is JSON: `commands` (each a list of dbt's arguments), `results` (the file that says what came of
them) and `lock`. The process ends with the one that started it, whose end it sees on standard input; the
lock keeps the next one waiting until then.
"""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
from pathlib import Path

from loader import locks

PATIENCE = 30.0


def main(request: str) -> None:
    asked = json.loads(request)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    # Here and not at the top, because it takes over a second.
    from dbt.cli.main import dbtRunner

    # What was imported stays, and so does what dbt reads of the project: to look through it for garbage takes long.
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)

    came = []
    with locks.exclusive(Path(asked["lock"]), "dbt", wait=PATIENCE):
        for arguments in asked["commands"]:
            outcome = dbtRunner().invoke(arguments)
            fault = outcome.exception
            came.append({"success": outcome.success, "fault": str(fault) if fault is not None else None})
    Path(asked["results"]).write_text(json.dumps(came), encoding="utf-8")


def _end_with_parent() -> None:
    while os.read(sys.stdin.fileno(), 1024):
        pass
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1])

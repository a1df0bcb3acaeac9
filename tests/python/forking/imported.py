"""A process that has imported dbt, and forks for each that asks it (`sitecustomize.py`). It ends with its parent."""

import atexit
import contextlib
import gc
import io
import json
import os
import select
import socket
import sqlite3
import sys
import tempfile
import textwrap
import threading
import time
import traceback
from pathlib import Path
from types import ModuleType

# Of each kind that the project has, one: dbt makes the code that reads and writes a kind when it needs it first.
PROJECT = {
    "dbt_project.yml": "{name: small, profile: small, flags: {send_anonymous_usage_stats: false}}",
    "profiles.yml": """
        small:
          target: sqlite
          outputs:
            sqlite: {type: sqlite, threads: 1, database: small, schema: main, schemas_and_paths: {main: small.db},
              schema_directory: none}
        """,
    "seeds/names.csv": "name\nable\n",
    "macros/macros.sql": "{% macro one() %}1{% endmacro %}",
    "models/docs.md": "{% docs name %}A name.{% enddocs %}",
    "models/whole.sql": "{{ config(materialized='table') }} select *, {{ one() }} as one from {{ ref('names') }}",
    "models/half.sql": "{{ config(materialized='view') }} select name from {{ ref('whole') }}",
    "models/_models.yml": """
        sources: [{name: log, schema: main, tables: [{name: outcomes, columns: [{name: id, data_tests: [unique]}]}]}]
        groups: [{name: us, owner: {name: us, email: us@example.com}}]
        exposures: [{name: report, type: dashboard, owner: {name: us}, depends_on: [ref('half')]}]
        models:
        - name: whole
          description: One row per name.
          config: {group: us, access: public, contract: {enforced: true}}
          columns:
          - {name: name, data_type: text, description: "{{ doc('name') }}", data_tests: [not_null]}
          - {name: one, data_type: integer, constraints: [{type: not_null}]}
        unit_tests:
        - name: halves
          model: half
          given: [{input: ref('whole'), rows: [{name: a}]}]
          expect: {rows: [{name: a}]}
        """,
}


def main(descriptor: int) -> None:
    with socket.socket(fileno=descriptor) as listener:  # who asks before the import is done waits for it
        gc.disable()
        import dbt.adapters.sqlite.impl
        import dbt.cli.main
        import dbt.task.build  # noqa: F401

        prepare()
        assert threading.active_count() == 1, "a fork has no other threads"
        gc.freeze()
        gc.enable()
        forks: set[int] = set()
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                break
            connection, _ = listener.accept()
            fork = os.fork()
            if fork == 0:
                listener.close()
                serve(connection)
            connection.close()
            # The time of a fork that was waited for counts as that of this process.
            forks = {each for each in (*forks, fork) if os.waitpid(each, os.WNOHANG)[0] == 0}
    for fork in forks:
        os.waitpid(fork, 0)


def prepare() -> None:
    """Build a small project, whose second build reads what the first has parsed."""
    from dbt.cli.main import dbtRunner

    with tempfile.TemporaryDirectory() as name, contextlib.redirect_stdout(io.StringIO()) as output:
        folder, before = Path(name), dict(os.environ)
        for path, text in PROJECT.items():
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(textwrap.dedent(text))
        with sqlite3.connect(folder / "small.db") as connection:
            connection.execute("create table outcomes (id)")
        connection.close()
        os.environ.pop("DBT_PARTIAL_PARSE_FILE_PATH", None)  # it names another project, as parsed
        os.chdir(folder)
        for number in range(2):
            (folder / "models" / f"more_{number}.sql").write_text("select 1 as one")  # else dbt parses nothing again
            assert dbtRunner().invoke(["build"]).success, output.getvalue()
        os.chdir("/")
        os.environ.clear()
        os.environ.update(before)


def serve(connection: socket.socket) -> None:
    """Do what the other process was started for, and send it the exit code."""
    status = 1
    try:
        size, streams, _, _ = socket.recv_fds(connection, 8, 3)
        data = b""
        while len(data) < int.from_bytes(size, "big"):
            part = connection.recv(1 << 20)
            if not part:
                os._exit(1)
            data += part
        request = json.loads(data)
        os.setsid()
        become(request, streams)
        threading.Thread(target=end_with, args=(connection,), daemon=True).start()
        status = run(request["code"])
    except BaseException:
        traceback.print_exc()
    finally:
        connection.send(bytes([status]))
        os._exit(0)


def become(request: dict, streams: list[int]) -> None:
    """Take the streams, the environment, the folder and the arguments of the other process."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    (in_, out, error) = request["streams"]
    sys.stdin = opened(0, in_)
    sys.stdout = opened(1, out)
    sys.stderr = opened(2, error)
    os.environ.clear()
    os.environ.update(request["environment"])
    os.environ.pop("FORKED_DBT")
    time.tzset()
    tempfile.tempdir = None
    os.chdir(request["folder"])
    sys.argv[:] = ["-c", *request["argv"]]
    sys.path[:] = ["", *request["path"]]


def opened(number: int, encoding: list[str]) -> io.TextIOWrapper:
    raw = os.fdopen(number, "rb" if number == 0 else "wb", closefd=False)
    return io.TextIOWrapper(raw, encoding[0], encoding[1], line_buffering=number == 2 or raw.isatty())


def run(code: str) -> int:
    """Run code as `python -c`, and return the exit code."""
    module = sys.modules["__main__"] = ModuleType("__main__")
    status = 0
    try:
        exec(compile(code, "<string>", "exec"), vars(module))
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def end_with(connection: socket.socket) -> None:
    """End this process when the one that it works for is gone."""
    connection.recv(1)
    os._exit(1)


if __name__ == "__main__":
    main(int(sys.argv[1]))

"""A process that has imported dbt, and forks for each that asks it (`sitecustomize.py`). It ends with its parent."""

import atexit
import gc
import io
import json
import os
import select
import socket
import sys
import threading
import time
import traceback
from types import ModuleType


def main(descriptor: int) -> None:
    with socket.socket(fileno=descriptor) as listener:  # who asks before the import is done waits for it
        gc.disable()
        import dbt.adapters.sqlite.impl
        import dbt.cli.main
        import dbt.task.build  # noqa: F401

        gc.freeze()
        gc.enable()
        while True:
            ready, _, _ = select.select([listener, sys.stdin], [], [])
            if sys.stdin in ready:
                break
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                serve(connection)
            connection.close()
            while waited(os.WNOHANG):
                pass
    while waited(0):
        pass


def waited(options: int) -> bool:
    """Return True if a fork had ended, whose time counts as that of this process then."""
    try:
        return os.waitpid(-1, options)[0] != 0
    except ChildProcessError:
        return False


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

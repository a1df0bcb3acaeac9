"""Python runs this when it starts, in each process of a test. If the process is there to run dbt, a fork of the
process that has imported dbt already (`imported.py`) does its work: the import takes as long as a small build.

The fork gets the standard streams, the arguments, the environment and the folder of this process, which waits for its
exit code. It ends if this process is killed. Without such a process, or if it could not do the same, this one goes on.
"""

import os
import sys


def main() -> None:
    import json
    import socket

    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(os.environ["FORKED_DBT"])
        except OSError:
            return
        request = {
            "argv": sys.orig_argv[3:], "code": sys.orig_argv[2], "path": sys.path, "environment": dict(os.environ),
            "folder": os.getcwd(),  # noqa: PTH109 - before it is needed, pathlib takes time
            "streams": [[each.encoding, each.errors] for each in (sys.stdin, sys.stdout, sys.stderr)],
        }  # fmt: skip
        data = json.dumps(request).encode()
        socket.send_fds(connection, [len(data).to_bytes(8, "big")], [0, 1, 2])
        connection.sendall(data)
        status = connection.recv(1)
    os._exit(status[0] if status else 1)


if "FORKED_DBT" in os.environ and "import dbt_process" in "".join(sys.orig_argv[2:3]):
    main()

"""The server of the explorer: its settings, its port, and a quiet end."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from model_outcomes.base.errors import OutcomesError, expect_installed
from model_outcomes.publish import snapshot

NEEDED = ("datasette", "datasette_dashboards", "uvicorn")
STATIC = Path(__file__).parent / "static"
MAX_CONNECTIONS = 200
SHUTDOWN_TIMEOUT_S = 3  # for answers in progress when the server is asked to end
SETTINGS = {
    "max_returned_rows": 20_000,  # enough for 60 days of 30 models at 10 task types
    "sql_time_limit_ms": 3_000,
    "num_sql_threads": 6,  # more than queries with readers' own SQL can use (access.MAX_RUNNING)
    "default_cache_ttl": 0,  # so that a browser does not show the old snapshot
    "suggest_facets": False,
}


def explorer(path: Path) -> Any:
    """Return a Datasette over the snapshot at `path`. Raises OutcomesError if Datasette is not installed, or if there
    is no published snapshot."""
    expect_installed("explore", *NEEDED)
    if not path.exists():
        raise OutcomesError(f"nothing is published at {path} yet: run `loader run`, or name its folder with --publish")
    if snapshot.published_run(path) is None:
        raise OutcomesError(f"{path} is not a snapshot that `loader run` published")
    from datasette.app import Datasette
    from datasette.plugins import pm

    from model_outcomes.publish.explorer import dashboard, plugin
    from model_outcomes.publish.explorer.published import Published

    # If rich is installed, Datasette would print all its variables for each refused query.
    pm.get_plugin("datasette.handle_exception").rich = None
    if not pm.is_registered(plugin):
        pm.register(plugin, name="model-outcomes")
    datasette = Datasette(settings=SETTINGS, static_mounts=[("outcomes-static", str(STATIC))])
    datasette.remove_database("_memory")
    datasette.add_database(Published(datasette, path), name=dashboard.DATABASE)
    return datasette


def serve(path: Path, host: str, port: int, allowed: Collection[str], say: Callable[[str], None]) -> None:
    """Serve the snapshot at `path` until a signal ends it, and pass the address to `say`. Port 0 means any free port.

    The server answers for localhost, for `host`, and for the host names in `allowed`.
    """
    datasette = explorer(path)
    listening = _bound(host, port)
    import uvicorn

    from model_outcomes.publish.explorer import access, dashboard, limits

    limits.limit_heap()
    prepared = {chart["query"] for chart in dashboard.page(None)["charts"].values()}
    application = access.for_hosts(access.with_few_own_queries(datasette.app(), prepared), access.names(host, allowed))
    config = uvicorn.Config(
        application,
        log_level="warning",
        timeout_graceful_shutdown=SHUTDOWN_TIMEOUT_S,
        limit_concurrency=MAX_CONNECTIONS,
    )
    shown = f"[{host}]" if ":" in host else host
    say(f"serving {path} on http://{shown}:{listening.getsockname()[1]}/ until Ctrl-C")
    if host in access.EVERYWHERE and not allowed:
        say("it answers only for localhost: allow the name of this machine with --allow-host NAME")
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        listening.close()


def _bound(host: str, port: int) -> socket.socket:
    """Return a socket that listens at the port. Raises OutcomesError, before the server starts, if it is in use."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as fault:
        raise OutcomesError(f"cannot serve on {host}: {fault.strerror}") from None
    except UnicodeError:
        raise OutcomesError(f"cannot serve on {host}: this is not a host name") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        # Until it listens, another process could still take the port.
        listening.listen(socket.SOMAXCONN)
    except OSError as fault:
        listening.close()
        if fault.errno == errno.EADDRINUSE:
            raise OutcomesError(f"port {port} of {host} is in use: choose another one with --port") from None
        raise OutcomesError(f"cannot serve on port {port} of {host}: {fault.strerror}") from None
    return listening

"""Serving the explorer: what must be there, the port, and an end without noise."""

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
CONNECTIONS = 200
PATIENCE = 3  # seconds for answers on their way, when it is asked to end
SETTINGS = {
    "max_returned_rows": 20_000,  # a dashboard's 60 days of 30 models at 10 task types
    "sql_time_limit_ms": 3_000,
    "num_sql_threads": 6,  # more than readers' own queries may take (access.RUNNING)
    "default_cache_ttl": 0,  # else a browser would show the old snapshot for a while
    "suggest_facets": False,
}


def explorer(path: Path) -> Any:
    """Return a Datasette over the snapshot at `path`. Raises OutcomesError if it is not installed, or if
    nothing is published there."""
    expect_installed("explore", *NEEDED)
    if not path.exists():
        raise OutcomesError(f"nothing is published at {path} yet: run `loader run`, or name its folder with --publish")
    if snapshot.published_run(path) is None:
        raise OutcomesError(f"{path} is not a snapshot that `loader run` published")
    from datasette.app import Datasette
    from datasette.plugins import pm

    from model_outcomes.publish.explorer import dashboard, plugin
    from model_outcomes.publish.explorer.published import Published

    # Else a refused query fills the screen with every variable of Datasette, if rich is installed.
    pm.get_plugin("datasette.handle_exception").rich = None
    if not pm.is_registered(plugin):
        pm.register(plugin, name="model-outcomes")
    datasette = Datasette(settings=SETTINGS, static_mounts=[("outcomes-static", str(STATIC))])
    datasette.remove_database("_memory")
    datasette.add_database(Published(datasette, path), name=dashboard.DATABASE)
    return datasette


def serve(path: Path, host: str, port: int, allowed: Collection[str], say: Callable[[str], None]) -> None:
    """Answer until it is ended by a signal; `say` hears the address. Port 0 is any that is free.

    It answers requests for loopback's names, for `host`, and for the names that are `allowed`.
    """
    datasette = explorer(path)
    listening = _bound(host, port)
    import uvicorn

    from model_outcomes.publish.explorer import access, dashboard, limits

    limits.bound_heap()
    prepared = {chart["query"] for chart in dashboard.page(None)["charts"].values()}
    application = access.for_hosts(access.with_few_own_queries(datasette.app(), prepared), access.names(host, allowed))
    config = uvicorn.Config(
        application, log_level="warning", timeout_graceful_shutdown=PATIENCE, limit_concurrency=CONNECTIONS
    )
    shown = f"[{host}]" if ":" in host else host
    say(f"serving {path} on http://{shown}:{listening.getsockname()[1]}/ until Ctrl-C")
    if host in access.EVERYWHERE and not allowed:
        say("it answers for localhost alone: name the host of its address with --allow-host")
    try:
        uvicorn.Server(config).run(sockets=[listening])
    except KeyboardInterrupt:
        pass
    finally:
        listening.close()


def _bound(host: str, port: int) -> socket.socket:
    """Return the socket, before anything else is done: a port that is taken is said in one line."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
    except OSError as fault:
        raise OutcomesError(f"cannot serve on {host}: {fault.strerror}") from None
    except UnicodeError:
        raise OutcomesError(f"cannot serve on {host}: that is not the name of a host") from None
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        # Bound alone, a port would still be anybody's to listen on.
        listening.listen(socket.SOMAXCONN)
    except OSError as fault:
        listening.close()
        if fault.errno == errno.EADDRINUSE:
            raise OutcomesError(f"port {port} of {host} is taken: name another one with --port") from None
        raise OutcomesError(f"cannot serve on port {port} of {host}: {fault.strerror}") from None
    return listening

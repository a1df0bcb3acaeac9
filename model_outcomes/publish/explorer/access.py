"""Access to the explorer: only requests for known host names, and few queries at once that readers wrote themselves.

The name of a foreign web page can be made to point at this machine (DNS rebinding), and the browser then lets that
page read the answers. But the browser sends the foreign name as Host, so the server refuses unknown names.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qs

from model_outcomes.publish.explorer.asgi import Application, Send

LOOPBACK = ("localhost", "127.0.0.1", "::1")
EVERYWHERE = ("0.0.0.0", "::", "")
# The most queries with readers' own SQL at a time. Prepared queries have more threads (server.SETTINGS).
MAX_RUNNING, MAX_WAITING = 2, 8


def names(host: str, allowed: Collection[str]) -> frozenset[str]:
    """Return the names for which a server on `host` answers: those of loopback, its own, and those `allowed`."""
    own = () if host in EVERYWHERE else (host,)
    return frozenset(_bare(name.lower()) for name in (*LOOPBACK, *own, *allowed))


def for_hosts(application: Application, names: Collection[str]) -> Application:
    """Return the application for requests to these host names; requests to others get status 421."""

    async def wrapped(scope: Any, receive: Any, send: Send) -> None:
        if scope["type"] == "lifespan" or _host(scope) in names:
            await application(scope, receive, send)
        elif scope["type"] == "http":
            await _refuse(send, 421, "this server does not answer for that host name: allow it with --allow-host\n")

    return wrapped


def with_few_own_queries(application: Application, prepared: Collection[str]) -> Application:
    """Return the application with a limit on requests that bring their own SQL: MAX_RUNNING run at once, MAX_WAITING
    wait, and the others get status 503. Other requests, and SQL that is `prepared`, have no limit."""
    running = asyncio.Semaphore(MAX_RUNNING)
    waiting = 0

    async def wrapped(scope: Any, receive: Any, send: Send) -> None:
        nonlocal waiting
        if not _brings_sql(scope, prepared):
            await application(scope, receive, send)
            return
        if waiting >= MAX_WAITING:
            await _refuse(send, 503, "too many queries at once: try again in a few seconds\n")
            return
        waiting += 1
        try:
            await running.acquire()
        finally:
            waiting -= 1
        try:
            await application(scope, receive, send)
        finally:
            running.release()

    return wrapped


def _brings_sql(scope: Any, prepared: Collection[str]) -> bool:
    if scope["type"] != "http":
        return False
    parameters = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return "_where" in parameters or any(sql not in prepared for sql in parameters.get("sql", ()))


def _host(scope: Any) -> str:
    """Return the host name that a request names, without port; empty unless it has exactly one Host header."""
    hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
    if len(hosts) != 1:
        return ""
    name, _, port = hosts[0].lower().rpartition(":")
    return _bare(name if name and port.isdecimal() else hosts[0].lower())


def _bare(name: str) -> str:
    return name.removeprefix("[").removesuffix("]").removesuffix(".")


async def _refuse(send: Send, status: int, text: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), *([(b"retry-after", b"5")] if status == 503 else [])]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": text.encode()})

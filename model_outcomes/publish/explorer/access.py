"""The requests that the explorer answers: those for known host names, with few queries of readers' own at once.

A web page of a stranger can point its own name at this machine, and a browser then lets it read what is served
there; but the browser still sends that name, as the Host. So the server answers only for names that it knows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any
from urllib.parse import parse_qs

from model_outcomes.publish.explorer.messages import Application, Send

LOOPBACK = ("localhost", "127.0.0.1", "::1")
EVERYWHERE = ("0.0.0.0", "::", "")
RUNNING, WAITING = 2, 8  # readers' own queries; prepared ones have more threads


def names(host: str, allowed: Collection[str]) -> frozenset[str]:
    """Return the names that a server on `host` answers for: loopback's, its own, and those `allowed`."""
    own = () if host in EVERYWHERE else (host,)
    return frozenset(_bare(name.lower()) for name in (*LOOPBACK, *own, *allowed))


def for_hosts(application: Application, known: Collection[str]) -> Application:
    """Return the application for requests to these names; others get a refusal (421)."""

    async def wrapped(scope: Any, receive: Any, send: Send) -> None:
        if scope["type"] == "lifespan" or _host(scope) in known:
            await application(scope, receive, send)
        elif scope["type"] == "http":
            await _refuse(send, 421, "this server does not answer for that host: allow it with --allow-host\n")

    return wrapped


def with_few_own_queries(application: Application, prepared: Collection[str]) -> Application:
    """Return the application with at most RUNNING requests at once that bring SQL of their own, and WAITING that
    wait for their turn; more are told to try again (503). All other requests, and SQL that is `prepared`, go on."""
    running = asyncio.Semaphore(RUNNING)
    waiting = 0

    async def wrapped(scope: Any, receive: Any, send: Send) -> None:
        nonlocal waiting
        if not _brings_sql(scope, prepared):
            await application(scope, receive, send)
            return
        if waiting >= WAITING:
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
    asked = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return "_where" in asked or any(sql not in prepared for sql in asked.get("sql", ()))


def _host(scope: Any) -> str:
    """Return the name in a request's Host, without port; empty if there is not exactly one such header."""
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

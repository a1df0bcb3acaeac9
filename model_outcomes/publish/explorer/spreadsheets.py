"""Make the CSV of Datasette safe like all CSV of the project: a spreadsheet runs no cell as a formula."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable
from typing import Any

from model_outcomes.answers import terminal
from model_outcomes.publish.explorer.asgi import Application, Message, Send

NUMBER = re.compile(r"[-+]?[0-9]+(\.[0-9]+)?(e[-+]?[0-9]+)?", re.IGNORECASE)


def safe(application: Application, applies: Callable[[], bool]) -> Application:
    """Return the application with an apostrophe before each text in CSV that could be a formula, if `applies()`."""

    async def wrapped(scope: Any, receive: Any, send: Send) -> None:
        async def send_safely(message: Message) -> None:
            # Datasette sends one message per row.
            if message["type"] == "http.response.body" and message.get("body"):
                message = {**message, "body": _safe_rows(message["body"])}
            await send(message)

        await application(scope, receive, send_safely if _asks_for_csv(scope) and applies() else send)

    return wrapped


def _asks_for_csv(scope: Any) -> bool:
    return scope["type"] == "http" and (scope["path"].endswith(".csv") or b"_format=csv" in scope["query_string"])


def _safe_rows(body: bytes) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    for row in csv.reader(io.StringIO(body.decode("utf-8"), newline="")):
        writer.writerow([cell if _is_number(cell) else terminal.spreadsheet_safe(cell) for cell in row])
    return text.getvalue().encode("utf-8")


def _is_number(cell: str) -> bool:
    """Return True if a cell is a number as SQLite writes it, which is no formula."""
    return NUMBER.fullmatch(cell) is not None

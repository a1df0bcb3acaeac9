"""Make invisible and text-reversing characters visible in the pages of Datasette: each is shown as an escape."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from typing import Any

from model_outcomes.base import console
from model_outcomes.publish.explorer.asgi import Application, Message, Send

TAG = re.compile(r"(<[^>]*>)")


def visible(application: Application, applies: Callable[[], bool]) -> Application:
    """Return the application with every such character in HTML pages escaped, if `applies()`."""

    async def wrapped(scope: Any, receive: Any, send: Send) -> None:
        is_page = False

        async def send_visibly(message: Message) -> None:
            nonlocal is_page
            if message["type"] == "http.response.start":
                headers = dict(message.get("headers", ()))
                is_page = headers.get(b"content-type", b"").startswith(b"text/html")
                if is_page:
                    kept = [(name, value) for name, value in message["headers"] if name != b"content-length"]
                    message = {**message, "headers": kept}
            elif is_page and message.get("body"):
                message = {**message, "body": escaped(message["body"].decode()).encode()}
            await send(message)

        await application(scope, receive, send_visibly if scope["type"] == "http" and applies() else send)

    return wrapped


def escaped(page: str) -> str:
    """Return a page with escapes in its text. Within tags they are references, so that forms send the same values."""
    parts = TAG.split(page)
    parts[::2] = [console.escaped(text, console.LAYOUT) for text in parts[::2]]
    parts[1::2] = [tag if tag.isprintable() else "".join(map(_reference, tag)) for tag in parts[1::2]]
    return "".join(parts)


def _reference(character: str) -> str:
    return f"&#x{ord(character):x};" if unicodedata.category(character) in ("Cf", "Zl", "Zp") else character

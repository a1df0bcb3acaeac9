"""Being asked to stop: SIGTERM and SIGINT end a run at once, but never between two halves of one thing."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Stopped(BaseException):
    """A signal asks the run to stop; no `except Exception` is meant by it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number  # as a shell says it


class Stopper:
    """While it is held, the first signal raises Stopped in the main thread; later ones change nothing, so
    that what is being put in order is not disturbed."""

    def __init__(self) -> None:
        self._asked: int | None = None
        self._is_deferred = False
        self._handlers: dict[int, object] = {}

    def __enter__(self) -> Stopper:
        # Elsewhere, as in a scheduler's own worker thread, Python allows no handlers.
        if threading.current_thread() is threading.main_thread():
            self._handlers = {number: signal.signal(number, self._handle) for number in SIGNALS}
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]

    @contextmanager
    def deferred(self) -> Iterator[None]:
        """Within the block a signal waits for its end."""
        self._is_deferred = True
        try:
            yield
        finally:
            self._is_deferred = False
        if self._asked is not None:
            raise Stopped(self._asked)

    def finish(self) -> None:
        """From now on signals change nothing: what came of the run is being written down."""
        self._is_deferred = True

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._asked is None:
            self._asked = number
            if not self._is_deferred:
                raise Stopped(number)

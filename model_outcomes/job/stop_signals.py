"""Signals that ask a run to stop: SIGTERM and SIGINT end it at once, but never in the middle of a publication."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType, TracebackType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequested(BaseException):
    """A signal asks the run to stop. A BaseException, so that no `except Exception` catches it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number  # the exit code that a shell reports for a signal


class Stopper:
    """Raise StopRequested in the main thread at the first signal. Ignore later signals, so that they do not
    interrupt the clean-up."""

    def __init__(self) -> None:
        self._signal: int | None = None
        self._is_deferred = False
        self._handlers: dict[int, object] = {}

    def __enter__(self) -> Stopper:
        # Python allows handlers in the main thread alone; a scheduler may call from a worker thread.
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
        """Handle a signal that arrives within the block at the end of the block."""
        self._is_deferred = True
        try:
            yield
        finally:
            self._is_deferred = False
        if self._signal is not None:
            raise StopRequested(self._signal)

    def finish(self) -> None:
        """Ignore signals from now on, while the run writes down its results."""
        self._is_deferred = True

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self._signal is None:
            self._signal = number
            if not self._is_deferred:
                raise StopRequested(number)

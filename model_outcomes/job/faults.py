"""The faults of a run: each is a line of the log and of the summary, and all of them decide the exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from model_outcomes.base import console, errors
from model_outcomes.base.errors import BuildError, BusyError, InputBusyError, OutcomesError, plain_os_fault
from model_outcomes.job.stop_signals import StopRequested
from model_outcomes.job.summary import exit_code
from model_outcomes.log import store

FAULTS_SHOWN = 20


class Faults:
    """Collects faults. `messages` is the list of the summary, to which each fault is added."""

    def __init__(self, database: Path, messages: list[str]) -> None:
        self.database, self.messages = database, messages
        self.codes: set[int] = set()
        self.stop: StopRequested | None = None

    def add(self, fault: OutcomesError) -> None:
        self.codes.add(fault.exit_code)
        self.say(str(fault))

    def say(self, message: str) -> None:
        """Add a message to the summary and to the log. It does not change the exit code."""
        self.messages.append(message)
        say(f"Error: {message}")

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Add a fault of the block, and let the run go on. An unexpected fault is added, then raised."""
        try:
            with store.plain_faults(self.database):
                yield
        except OutcomesError as fault:
            self.add(fault)
        except StopRequested as stop:
            self.stop = stop
            self.say(f"stopped by {stop}")
        except Exception as fault:
            if plain := plain_os_fault(fault):
                self.add(plain)
                return
            self.codes.add(BuildError.exit_code)
            self.say(f"{type(fault).__name__}: {fault}")
            raise

    @contextmanager
    def collected_from_input(self, step: str) -> Iterator[None]:
        """Add a fault of one input, and let the run go on with the others. A locked log stops the run."""
        try:
            with store.plain_faults(self.database), errors.input_faults(f"the input of the step {step}"):
                yield
        except OutcomesError as fault:
            if isinstance(fault, BusyError) and not isinstance(fault, InputBusyError):
                raise
            self.add(fault)

    def exit_code(self) -> int:
        return self.stop.exit_code if self.stop else exit_code(self.codes)

    def in_one_line(self) -> str | None:
        """Return the first FAULTS_SHOWN faults in one line, None without faults. The summary has all of them."""
        more = len(self.messages) - FAULTS_SHOWN
        return "; ".join(self.messages[:FAULTS_SHOWN] + ([f"and {more:,} more"] if more > 0 else [])) or None


def say(message: str) -> None:
    """Write a line of the log in the same form as dbt's lines."""
    console.say(f"{datetime.now():%H:%M:%S}  {message}", err=True)

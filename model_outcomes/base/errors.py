"""Faults that a user can mend: each error is one line that says what to do."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from model_outcomes.base.console import escaped, printable


class OutcomesError(Exception):
    """A fault that the user can mend. `exit_code` is what the command line returns for it."""

    exit_code = 2

    def __str__(self) -> str:
        """Return the message as one line: names in it come from outside."""
        return printable(super().__str__())


class BusyError(OutcomesError):
    """Somebody else holds what is needed; trying again later helps."""

    exit_code = 75


class InputBusyError(BusyError):
    """Somebody else holds a file that is only read: nothing of ours waits for it."""


class UnreadableError(OutcomesError):
    """The system does not give a file's content: permission, a full disk for its copy, a broken device. The file
    itself may be right."""


class BuildError(OutcomesError):
    """dbt ran, and a dbt model or a test of it failed."""

    exit_code = 1


class NotBuiltError(OutcomesError):
    """A view or table that dbt makes was asked for before the first build."""


class NothingLoadedError(OutcomesError):
    """Something in the input was refused, and all or nothing was asked for."""

    exit_code = 3


def plain_os_fault(fault: BaseException) -> OutcomesError | None:
    """Return a fault of the file system in one line that names the file; None if it names none, and so may be a
    fault of ours."""
    if not isinstance(fault, OSError) or not isinstance(fault.filename, str | bytes):
        return None
    return OutcomesError(f"{os.fsdecode(fault.filename)}: {fault.strerror}")


class NotInstalledError(OutcomesError):
    """`packages` are missing here. They come with an extra of the checkout. No message says to install a package by
    name from a package index, because anybody might own the name there."""

    def __init__(self, packages: str, extra: str) -> None:
        command = "make setup" if extra == "warehouse" else f"make setup EXTRAS={extra}"
        super().__init__(f"{packages} is not installed here: `{command}` in the checkout brings the extra `{extra}`")


class NotKeptError(OutcomesError):
    """An outcome that neither the database nor a spool could take; `outcome` is it, as JSON."""

    exit_code = 74

    def __init__(self, said: str, outcome: str) -> None:
        super().__init__(said)
        self.outcome = escaped(outcome)


@contextmanager
def naming(name: object) -> Iterator[None]:
    """Turn any fault in reading the input `name` into an OutcomesError that names it.

    One input must not stop a job that has others. A fault of the database is not a fault of the input, and passes.
    """
    import sqlite3

    try:
        yield
    except (OutcomesError, sqlite3.Error):
        raise
    except OSError as fault:
        plain = plain_os_fault(fault) or f"{name}: {fault.strerror or fault}"
        raise UnreadableError(str(plain)) from None
    except Exception as fault:
        last = fault.__traceback__
        while last and last.tb_next:
            last = last.tb_next
        place = f"{last.tb_frame.f_code.co_filename.rpartition('/')[2]}:{last.tb_lineno}" if last else "?"
        kind = type(fault).__name__
        raise OutcomesError(f"{name} cannot be read: {kind}: {str(fault)[:200]} (at {place})") from fault

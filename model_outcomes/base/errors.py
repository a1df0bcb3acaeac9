"""Errors that a user can fix, each a line that says what to do, and the exit codes of the command line."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from model_outcomes.base.console import escaped, printable

EXIT_FAILED = 1  # a dbt model or test failed, or a check found a fault
EXIT_ERROR = 2  # wrong usage, or an error that the user can fix
EXIT_REJECTED = 3  # more was rejected than the command allows
EXIT_NOT_KEPT = 74  # an outcome is lost (EX_IOERR of sysexits.h)
EXIT_BUSY = 75  # try again later (EX_TEMPFAIL)


class OutcomesError(Exception):
    """An error that the user can fix. The command line exits with `exit_code`."""

    exit_code = EXIT_ERROR

    def __str__(self) -> str:
        """Return the message as one line: names in it come from outside."""
        return printable(super().__str__())


class BusyError(OutcomesError):
    """Another process holds what is needed. Trying again later helps."""

    exit_code = EXIT_BUSY


class InputBusyError(BusyError):
    """Another process holds a file that we only read."""


class UnreadableError(OutcomesError):
    """The system does not give the content of a file: no permission, no disk space for a copy, a broken device. The
    file itself may be valid."""


class BuildError(OutcomesError):
    """A dbt model or a dbt test failed."""

    exit_code = EXIT_FAILED


class NotBuiltError(OutcomesError):
    """A table or view that a build creates does not exist yet."""


class NothingLoadedError(OutcomesError):
    """A part of the input was rejected, and the caller asked for all or nothing."""

    exit_code = EXIT_REJECTED


class NotInstalledError(OutcomesError):
    """`packages` are missing. They come with an extra. The message names no package index, because anybody could own
    the product's name there."""

    def __init__(self, packages: str, extra: str) -> None:
        command = "make setup" if extra == "warehouse" else f"make setup EXTRAS={extra}"
        super().__init__(
            f"{packages} is not installed: run `{command}` in the checkout,"
            f" or install the wheel with its extra `{extra}`"
        )


def missing(*modules: str) -> list[str]:
    """Return those of the modules that are not installed."""
    import importlib.util  # not at the start of `loader record`

    names = []
    for name in modules:
        try:
            is_missing = importlib.util.find_spec(name) is None
        except ModuleNotFoundError:  # a package above it
            is_missing = True
        names += [name] if is_missing else []
    return names


def expect_installed(extra: str, *modules: str) -> None:
    """Raise NotInstalledError if a module of the extra is missing."""
    if names := missing(*modules):
        raise NotInstalledError(", ".join(names), extra)


class NotKeptError(OutcomesError):
    """Neither the database nor a spool could take an outcome. `outcome` is its JSON."""

    exit_code = EXIT_NOT_KEPT

    def __init__(self, message: str, outcome: str) -> None:
        super().__init__(message)
        self.outcome = escaped(outcome)


def plain_os_fault(fault: BaseException) -> OutcomesError | None:
    """Return an error of the file system as one line that names the file. Return None if it names no file: it may be
    an error of our own."""
    if not isinstance(fault, OSError) or not isinstance(fault.filename, str | bytes):
        return None
    return OutcomesError(f"{os.fsdecode(fault.filename)}: {fault.strerror}")


@contextmanager
def input_faults(name: object) -> Iterator[None]:
    """Turn any error while the input `name` is read into an OutcomesError that names it.

    One input must not stop a job that has others. An error of the database is no error of the input, and passes.
    """
    import sqlite3

    try:
        yield
    except (OutcomesError, sqlite3.Error):
        raise
    except OSError as fault:
        message = plain_os_fault(fault) or f"{name}: {fault.strerror or fault}"
        raise UnreadableError(str(message)) from None
    except Exception as fault:
        last = fault.__traceback__
        while last and last.tb_next:
            last = last.tb_next
        place = f"{last.tb_frame.f_code.co_filename.rpartition('/')[2]}:{last.tb_lineno}" if last else "?"
        kind = type(fault).__name__
        raise OutcomesError(f"{name} cannot be read: {kind}: {str(fault)[:200]} (at {place})") from fault

"""The settings of outcomes.toml. Each key sets an environment variable, so code that reads the environment follows the
file too. The environment overrides the file, and an option overrides both.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from model_outcomes.base import paths
from model_outcomes.base.engines import Target
from model_outcomes.base.errors import OutcomesError
from model_outcomes.base.messages import mismatch

SIZE_LIMIT_BYTES = 1_000_000
MESSAGE_CHARACTERS = 1_000
UNKNOWN_FIELD, INVALID_VALUE = "object contains unknown field ", "invalid enum value "  # msgspec's messages
DECISIVE = ("project", "target")  # settings that decide which code runs
Finding = Literal["stale", "demotion", "drift", "degenerate", "new_demotion", "new_verdict", "new_drift"]

Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Location = Annotated[str, Meta(min_length=1)]  # relative to the file's folder


class Settings(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The keys of outcomes.toml. `variable` returns the environment variable of each."""

    database: Location | None = None
    target: Target | None = None
    inbox: Location | None = None
    legacy_json: Location | None = None
    uok: Location | None = None
    publish: Location | None = None
    report: bool | None = None
    runs: Location | None = None
    spool: Location | None = None
    project: Location | None = None
    wait: Seconds | None = None
    busy_timeout: Seconds | None = None
    max_rejects: Annotated[int, Meta(ge=0)] | None = None
    keep_runs: Annotated[int, Meta(ge=1)] | None = None
    fail_on: list[Finding] | None = None
    quiet: bool | None = None


def variable(setting: str) -> str:
    """Return the environment variable of a setting: `OUTCOMES_<SETTING>`, and OUTCOMES_DB for the database."""
    return "OUTCOMES_DB" if setting == "database" else f"OUTCOMES_{setting.upper()}"


class SettingsError(OutcomesError):
    """outcomes.toml cannot be read, or has an invalid key or value."""


def adopt() -> None:
    """Set the environment variables of the settings in the file, unless they are set already.

    The file is the one that `OUTCOMES_CONFIG` names, else outcomes.toml in the working directory if it exists. Raises
    SettingsError, which names the file, the key and the fault.
    """
    named = os.environ.get("OUTCOMES_CONFIG")
    path = Path(named or paths.SETTINGS)
    if not named and not os.path.lexists(path):
        return
    try:
        folder = path.absolute().parent
        settings = _settings(path, is_named=bool(named))
        texts = _texts(settings, folder)
    except SettingsError as fault:
        raise SettingsError(f"{os.path.abspath(path)}: {fault}"[:MESSAGE_CHARACTERS]) from None  # noqa: PTH100
    for setting, text in texts.items():
        if not os.environ.get(variable(setting)):
            os.environ[variable(setting)] = text


def _settings(path: Path, *, is_named: bool) -> Settings:
    try:
        # Not blocking, because a pipe would wait for its writer, unless the user named it.
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | (0 if is_named else os.O_NONBLOCK))
        with os.fdopen(file, "rb") as stream:
            status = os.fstat(file)
            if not is_named and not stat.S_ISREG(status.st_mode):
                raise SettingsError("not a file")
            text = stream.read(SIZE_LIMIT_BYTES + 1)
    except OSError as fault:
        raise SettingsError(fault.strerror or str(fault)) from None
    if len(text) > SIZE_LIMIT_BYTES:
        raise SettingsError(f"larger than {SIZE_LIMIT_BYTES:,} bytes")
    try:
        settings = msgspec.toml.decode(text, type=Settings)
    except msgspec.ValidationError as fault:
        raise SettingsError(_in_words(fault)) from None
    except (msgspec.DecodeError, ValueError) as fault:
        raise SettingsError(f"this is not TOML: {fault}") from None
    except RecursionError:
        raise SettingsError("nested too deeply") from None
    if not is_named:
        _expect_own(path, status, settings)
    return settings


def _expect_own(path: Path, status: os.stat_result, settings: Settings) -> None:
    """Raise SettingsError if the file decides which code runs, and another user could have written it."""
    chosen = [name for name in DECISIVE if getattr(settings, name) is not None]
    if not chosen or not hasattr(os, "geteuid"):
        return
    real = path.resolve()
    written = {str(path.absolute().parent): path.absolute().parent.stat(), str(real.parent): real.parent.stat(),
               "it": status}  # fmt: skip
    for place, each in written.items():
        why = (
            "belongs to another user"
            if each.st_uid not in (os.geteuid(), 0)
            else "can be written by other users"
            if each.st_mode & stat.S_IWOTH or (each.st_mode & stat.S_IWGRP and not _is_own_group(each.st_gid))
            else None
        )
        if why:
            raise SettingsError(
                f"{' and '.join(chosen)} not taken from it, because {place} {why}:"
                " change that, or name the file in OUTCOMES_CONFIG"
            )


def _is_own_group(group: int) -> bool:
    """Return True if the user is the only member of a group. Many systems give each user such a group."""
    import grp
    import pwd

    try:
        user, entry = pwd.getpwuid(os.geteuid()), grp.getgrgid(group)
    except KeyError:
        return False
    return entry.gr_name == user.pw_name and group == user.pw_gid and set(entry.gr_mem) <= {user.pw_name}


def _texts(settings: Settings, folder: Path) -> dict[str, str]:
    """Return the text for the variable of each setting."""
    texts = {}
    for field in msgspec.structs.fields(Settings):
        value = getattr(settings, field.name)
        if value is None:
            continue
        if isinstance(value, list):
            value = ",".join(value)
        elif field.type == Location | None:
            value = _location(field.name, value, folder)
        texts[field.name] = str(value)
    return texts


def _location(setting: str, text: str, folder: Path) -> Path:
    try:
        path = folder / Path(text).expanduser()
        path.lstat()
    except RuntimeError:
        raise SettingsError(f"{setting}: there is no home folder {text.partition('/')[0]}") from None
    except ValueError as fault:
        raise SettingsError(f"{setting}: not a path: {fault}") from None
    except OSError as fault:
        # The command that needs a path may create it.
        if fault.errno not in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
            raise SettingsError(f"{setting}: {fault.strerror}") from None
    return path


def _in_words(fault: msgspec.ValidationError) -> str:
    """Return msgspec's message with the key first: `wait: expected float, got str`."""
    from difflib import get_close_matches

    key, problem, got_type = mismatch(fault)
    if problem.startswith(UNKNOWN_FIELD):
        unknown = problem.removeprefix(UNKNOWN_FIELD)
        names = [field.name for field in msgspec.structs.fields(Settings)]
        near = get_close_matches(unknown, names, 1)
        return f"there is no setting {unknown}; " + (
            f"is {near[0]} meant?" if near else f"there are {', '.join(names)}"
        )
    if problem.startswith(INVALID_VALUE):
        allowed = get_args(Target if key == "target" else Finding)
        problem = f"{problem.removeprefix(INVALID_VALUE)} is none of {', '.join(allowed)}"
    return f"{key}: {problem}" + (f", got {got_type}" if got_type else "")

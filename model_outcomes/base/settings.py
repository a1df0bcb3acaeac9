"""The settings of outcomes.toml. Each key sets an environment variable, so code that reads the environment follows the
file too. The environment overrides the file, and an option overrides both.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta

from model_outcomes.base import dbt_vars, paths
from model_outcomes.base.engines import TARGETS, Target
from model_outcomes.base.errors import OutcomesError
from model_outcomes.base.messages import mismatch

SIZE_LIMIT_BYTES = 1_000_000
MESSAGE_CHARACTERS = 1_000
UNKNOWN_FIELD, INVALID_VALUE = "object contains unknown field ", "invalid enum value "  # msgspec's messages
DECISIVE = ("project", "target", "workspace")  # settings that decide which code runs
Finding = Literal["stale", "demotion", "drift", "degenerate", "new_demotion", "new_verdict", "new_drift"]

Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Location = Annotated[str, Meta(min_length=1)]  # relative to the file's folder


class LoadSettings(msgspec.Struct, forbid_unknown_fields=True, kw_only=True, rename={"mapping": "as"}):
    """The keys of `[load.NAME]`: how files become outcomes. The options of `loader load` have the same names.

    `mapping` reads the files of another tool, also those that a run finds in `folder`; it has parameters. For a file of
    one's own, `map` has the column of each field, and `columns` the values of fields that the records lack.
    """

    folder: Location | None = None
    mapping: Annotated[str, Meta(min_length=1)] | None = None
    task_type: str | None = None
    model_id: str | None = None
    timestamp: str | None = None
    score: str | None = None
    scorer: str | None = None
    threshold: float | None = None
    lower_is_better: bool | None = None
    zone: str | None = None
    map: dict[str, str] = {}
    success: str | None = None
    timeout: str | None = None
    unit: dict[str, str] = {}
    columns: dict[str, str] = {}


class Settings(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The keys of outcomes.toml. `variable` returns the environment variable of each."""

    database: Location | None = None
    target: Target | None = None
    inbox: Location | dict[str, LoadSettings | str] | None = None
    load: dict[str, LoadSettings] | None = None
    legacy_json: Location | None = None
    uok: Location | None = None
    publish: Location | None = None
    report: bool | None = None
    runs: Location | None = None
    spool: Location | None = None
    project: Location | None = None
    workspace: Location | None = None
    wait: Seconds | None = None
    busy_timeout: Seconds | None = None
    max_rejects: Annotated[int, Meta(ge=0)] | None = None
    keep_runs: Annotated[int, Meta(ge=1)] | None = None
    fail_on: list[Finding] | None = None
    quiet: bool | None = None
    vars: dict[str, Any] | None = None  # of the dbt project, see model_outcomes.base.dbt_vars


# What `template` writes of each setting: its meaning, and the default or else an example.
EXPLANATIONS: dict[str, tuple[str, Any]] = {
    "database": ("The log, an SQLite file.", "data/outcomes.db"),
    "target": (f"The engine that builds: {', '.join(TARGETS)}.", "sqlite"),
    "inbox": ("Folder of files that a run loads.", "inbox"),
    "load": (
        "How other files become outcomes: in a folder that a run loads, or with `loader load --with NAME`.",
        {
            "evals": {"folder": "inbox/evals", "as": "inspect"},
            "nightly": {"map": {"model_id": "model"}, "success": "status=completed", "zone": "Europe/Berlin"},
        },
    ),
    "legacy_json": ("Aggregates of an older tool, which a run imports.", ".sf/model-performance.json"),
    "uok": ("The orchestrator's database, which a run mirrors.", "uok.db"),
    "publish": ("Folder to which a run publishes what passed its tests.", "data/published"),
    "report": ("A run publishes a report, too.", True),
    "runs": ("Folder for the summary of each run.", "data/runs"),
    "spool": ("File for outcomes that the log cannot take now.", "data/outcomes.db.spool.jsonl"),
    "project": ("The dbt project, if it is not the one of the package.", "/srv/model-outcomes"),
    "workspace": ("Folder with your seeds/ and models/, if it is not this one.", "."),
    "wait": ("Seconds that a run waits for another one to end.", 0),
    "busy_timeout": ("Seconds that a writer waits for another one.", 30),
    "max_rejects": ("A run that rejects more lines than this exits 3.", 0),
    "keep_runs": ("The summaries of so many runs are kept.", 100),
    "fail_on": (f"Findings after which a run exits 3: {', '.join(get_args(Finding))}.", ["stale", "drift"]),
    "quiet": ("A run shows warnings and faults only.", False),
    "vars": ("Thresholds of the statistics: the vars of dbt_project.yml.", {"alpha": 0.05, "min_samples": 3}),
}
TEMPLATE_HEAD = """\
# Settings of model-outcomes: remove the # before a key to set it. Paths are relative to this folder.
# A variable of the environment wins over this file, and an option over both.
"""
SEED_FILES = ("model_aliases", "task_type_aliases", "error_types", "incumbents", "ab_experiments")


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


def named_database(path: Path) -> Path | None:
    """Return the database that an outcomes.toml names; None if it names none. Raises SettingsError."""
    try:
        text = _texts(_settings(path, is_named=True), path.absolute().parent).get("database")
    except SettingsError as fault:
        raise SettingsError(f"{path}: {fault}"[:MESSAGE_CHARACTERS]) from None
    return Path(text) if text else None


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


def template() -> str:
    """Return the text of an outcomes.toml with every key, commented out."""
    text = TEMPLATE_HEAD
    for name in Settings.__struct_fields__:
        meaning, value = EXPLANATIONS[name]
        text += f"\n# {meaning}\n# {name} = {_toml(value)}\n"
    return text


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_toml(item)}' for key, item in value.items())} }}"
    return json.dumps(value)


def workspace() -> Path | None:
    """Return the workspace in force: the folder that OUTCOMES_WORKSPACE names, else that of outcomes.toml, if its
    seeds/ has one of the user's seeds. None if there is no workspace.

    dbt runs the SQL and the Jinja in it. Raises SettingsError if another user could have written there, unless the
    caller named the workspace or the file, or if OUTCOMES_WORKSPACE names no workspace.
    """
    if text := os.environ.get("OUTCOMES_WORKSPACE"):
        folder = paths.absolute(text)
        if not _is_workspace(folder):
            raise SettingsError(f"{folder} is no workspace: `loader init {folder}` makes it one")
        return folder
    named = os.environ.get("OUTCOMES_CONFIG")
    path = paths.absolute(named or paths.SETTINGS)
    folder = path.parent
    if not os.path.lexists(path) or not _is_workspace(folder):
        return None
    code = [folder / part for part in ("seeds", "models")]
    code += [each for part in code for each in part.rglob("*")]
    if not named and (fault := _others_write(_places([path, *code]))):
        raise SettingsError(
            f"{folder}: its seeds/ and models/ are not used, because {fault}:"
            " change that, or name the folder in OUTCOMES_WORKSPACE"
        )
    return folder


def _is_workspace(folder: Path) -> bool:
    return any((folder / "seeds" / f"{name}.csv").exists() for name in SEED_FILES)


def _expect_own(path: Path, status: os.stat_result, settings: Settings) -> None:
    """Raise SettingsError if the file decides which code runs, and another user could have written it."""
    chosen = [name for name in DECISIVE if getattr(settings, name) is not None]
    if not chosen:
        return
    places = {str(folder): folder.stat() for folder in (path.absolute().parent, path.resolve().parent)}
    if fault := _others_write({**places, "it": status}):
        raise SettingsError(
            f"{' and '.join(chosen)} not taken from it, because {fault}:"
            " change that, or name the file in OUTCOMES_CONFIG"
        )


def _places(files: list[Path]) -> dict[str, os.stat_result]:
    """Return the files that exist, with the folders that have them and those that links lead to."""
    places = {}
    for path in files:
        for place in (path.parent, path.resolve().parent, path):
            with suppress(FileNotFoundError):
                places[str(place)] = place.stat()
    return places


def _others_write(places: Mapping[str, os.stat_result]) -> str | None:
    """Return the first place that another user could have written, and why; or None."""
    if not hasattr(os, "geteuid"):
        return None
    for place, status in places.items():
        if status.st_uid not in (os.geteuid(), 0):
            return f"{place} belongs to another user"
        if status.st_mode & stat.S_IWOTH or (status.st_mode & stat.S_IWGRP and not _is_own_group(status.st_gid)):
            return f"{place} can be written by other users"
    return None


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
    settings.inbox, settings.load = _inbox_and_loads(settings)
    for field in msgspec.structs.fields(Settings):
        value = getattr(settings, field.name)
        if value is None:
            continue
        if isinstance(value, list):
            value = ",".join(value)
        elif field.name == "load":
            value = _loads_as_json(value, folder)
        elif field.type == Location | None or field.name == "inbox":
            value = _location(field.name, value, folder)
        elif isinstance(value, dict):
            value = dbt_vars.as_json(_checked_vars(value))
        texts[field.name] = str(value)
    return texts


def _inbox_and_loads(settings: Settings) -> tuple[str | None, dict[str, LoadSettings] | None]:
    """Return the folder of the inbox, and all loads: `[inbox.NAME]` is a load of the inbox's subfolder NAME. TOML
    allows no `inbox = "..."` beside it, so there the key is `folder` of `[inbox]`."""
    if not isinstance(settings.inbox, dict):
        return settings.inbox, settings.load
    tables = dict(settings.inbox)
    folder = tables.pop("folder", "inbox")
    loads = dict(settings.load or {})
    for name, load in tables.items():
        if not isinstance(folder, str) or not isinstance(load, LoadSettings):
            raise SettingsError(f"inbox.{name}: expected a table such as [inbox.{name}], or the key folder")
        if name in loads:
            raise SettingsError(f"inbox.{name}: there is a load.{name}, too")
        loads[name] = msgspec.structs.replace(load, folder=load.folder or f"{folder}/{name}")
    return str(folder), loads


def _loads_as_json(loads: dict[str, LoadSettings], folder: Path) -> str:
    for name, load in loads.items():
        if load.folder is not None:
            load.folder = str(_location(f"load.{name}.folder", load.folder, folder))
        if load.folder is not None and load.mapping is None:
            raise SettingsError(f"load.{name}: a folder needs the key as, which names the tool or a mapping")
        if load.mapping and load.mapping.endswith(".sql"):
            load.mapping = str(_location(f"load.{name}.as", load.mapping, folder))
    return msgspec.json.encode(loads).decode()


def named_loads() -> dict[str, LoadSettings]:
    """Return the loads that outcomes.toml names. Raises SettingsError."""
    text = os.environ.get("OUTCOMES_LOAD")
    if not text:
        return {}
    try:
        return msgspec.json.decode(text, type=dict[str, LoadSettings])
    except msgspec.MsgspecError as fault:
        raise SettingsError(f"OUTCOMES_LOAD: {fault}") from None


def named_load(name: str) -> LoadSettings:
    """Return one of the loads that outcomes.toml names. Raises SettingsError."""
    loads = named_loads()
    if name not in loads:
        names = f"there are {', '.join(loads)}" if loads else "there are no such tables"
        raise SettingsError(f"outcomes.toml has no table [load.{name}]: {names}")
    return loads[name]


def _checked_vars(values: dict[str, Any]) -> dict[str, Any]:
    try:
        return dbt_vars.checked(values)
    except OutcomesError as fault:
        raise SettingsError(f"vars: {fault}") from None


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
        problem = f"{problem.removeprefix(INVALID_VALUE)} is not one of {', '.join(allowed)}"
    return f"{key}: {problem}" + (f", got {got_type}" if got_type else "")

"""Settings in one place: outcomes.toml is the environment, written down.

Each key stands for the variable that it is named after, so that everything that reads the environment
heeds the file as well. What is set in the environment wins over the file, an option over both.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal, get_args

import msgspec
from msgspec import Meta

from loader.engines import Target
from loader.errors import OutcomesError

NAME = "outcomes.toml"
Finding = Literal["stale", "demotion", "drift", "degenerate"]

Seconds = Annotated[float, Meta(ge=0, le=86_400)]
Location = Annotated[str, Meta(min_length=1)]  # relative to the file's folder


class Settings(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What outcomes.toml may say; `variable` names the variable of each."""

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
    """The variable that a setting stands for: `OUTCOMES_<SETTING>`, and OUTCOMES_DB for the database."""
    return "OUTCOMES_DB" if setting == "database" else f"OUTCOMES_{setting.upper()}"


def adopt() -> None:
    """Let the settings of the file count as variables of the environment, where those are not set.

    The file is the one that `OUTCOMES_CONFIG` names, else outcomes.toml in the working directory, if it
    is there. Raises OutcomesError that names the file, the key and the fault.
    """
    named = os.environ.get("OUTCOMES_CONFIG")
    path = Path(named) if named else Path(NAME)
    if not named and not path.is_file():
        return
    for setting, text in _texts(_read(path), path.absolute().parent).items():
        if not os.environ.get(variable(setting)):
            os.environ[variable(setting)] = text


def _read(path: Path) -> Settings:
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Settings)
    except OSError as fault:
        raise OutcomesError(f"{path.absolute()}: {fault.strerror}") from None
    except msgspec.ValidationError as fault:
        raise OutcomesError(f"{path.absolute()}: {_in_words(str(fault))}") from None
    except (msgspec.DecodeError, UnicodeDecodeError) as fault:
        raise OutcomesError(f"{path.absolute()} is not TOML: {fault}") from None


def _texts(settings: Settings, folder: Path) -> dict[str, str]:
    texts = {}
    for field in msgspec.structs.fields(Settings):
        value = getattr(settings, field.name)
        if value is None:
            continue
        if isinstance(value, list):
            value = ",".join(value)
        elif field.type == Location | None:
            value = folder / Path(value).expanduser()
        texts[field.name] = str(value)
    return texts


def _in_words(fault: str) -> str:
    """msgspec's message, the key first: `wait: expected float, got str`."""
    from difflib import get_close_matches

    said, _, where = fault.replace("`", "").partition(" - at $.")
    if said.startswith("Object contains unknown field "):
        unknown = said.removeprefix("Object contains unknown field ")
        known = [field.name for field in msgspec.structs.fields(Settings)]
        near = get_close_matches(unknown, known, 1)
        return f"there is no setting {unknown}; " + (
            f"is {near[0]} meant?" if near else f"there are {', '.join(known)}"
        )
    if said.startswith("Invalid enum value "):
        allowed = get_args(Target if where == "target" else Finding)
        said = f"{said.removeprefix('Invalid enum value ')} is none of {', '.join(allowed)}"
    return f"{where}: {said[:1].lower()}{said[1:]}".replace(" | null", "")

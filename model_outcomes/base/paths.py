"""The places of files: all that is kept beside a database, and the variables that name another place for it."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from model_outcomes.base.engines import SQLITE, TARGETS
from model_outcomes.base.errors import OutcomesError

SNAPSHOT = "model_outcomes.db"
SETTINGS = "outcomes.toml"
DATABASE = "data/outcomes.db"  # if none is named


def default_path() -> Path:
    """Return the database that is meant where none is named: `OUTCOMES_DB`, else data/outcomes.db."""
    return Path(os.environ.get("OUTCOMES_DB") or DATABASE)


def absolute(path: str | Path) -> Path:
    """Return a path as it is shown and remembered: absolute, without dots, links left as they are."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute() keeps `..`


def source_name(name: str | Path) -> str:
    """Return the name under which the log remembers a file: its absolute path, `-` as standard input.

    Raises OutcomesError if the path is not UTF-8: the log can keep text only.
    """
    path = "standard input" if name == "-" else str(absolute(name))
    if shown_path(path) != path:
        raise OutcomesError(f"{shown_path(path)}: the name is not UTF-8 and cannot be remembered, rename it")
    return path


def shown_path(path: str | Path) -> str:
    """Return a path as text: bytes that are not UTF-8 are shown as \\xff."""
    return os.fsencode(path).decode(errors="backslashreplace")


def build_folder(database: Path, target: str = SQLITE) -> Path:
    """Return where builds keep their lock, logs and artifacts: `<file>.build`, `<file>.<target>.build` on other
    engines."""
    return _beside(database, ".build" if target == SQLITE else f".{target}.build")


def spark(database: Path) -> Path:
    """Return what Spark builds, and knows of it: `OUTCOMES_SPARK`, else `<file>.spark`."""
    return _named("OUTCOMES_SPARK") or _beside(database, ".spark")


def parquet_log(database: Path) -> Path:
    """Return where the log lies as Parquet files: `OUTCOMES_PARQUET`, else `<file>.parquet`."""
    return _named("OUTCOMES_PARQUET") or _beside(database, ".parquet")


def duckdb(database: Path) -> Path:
    """Return what DuckDB builds: `OUTCOMES_DUCKDB`, else `<file>.duckdb`."""
    return _named("OUTCOMES_DUCKDB") or _beside(database, ".duckdb")


def load_lock(database: Path) -> Path:
    """Return the lock that a load of files holds: `<file>.load.lock`."""
    return _beside(database, ".load.lock")


def federation_lock(database: Path) -> Path:
    """Return the lock that an export of statistics holds: `<file>.federation.lock`."""
    return _beside(database, ".federation.lock")


def holder_note(lock: Path) -> Path:
    """Return the file that says who holds a lock."""
    return lock.with_suffix(".holder.json")


def belongings(database: Path) -> list[Path]:
    """Return the files and folders, present or not, that belong to a database and that no command may write to
    by name: SQLite's own, the locks, the spools, the folders of builds."""
    locks = (load_lock(database), federation_lock(database))
    return [
        *(_beside(database, suffix) for suffix in ("-wal", "-shm", "-journal")),
        *locks,
        *map(holder_note, locks),
        *(Path(os.path.realpath(path)) for path in spools(database)),
        *(build_folder(database, target) for target in TARGETS),
    ]


def spool(database: Path) -> Path:
    """Return where outcomes wait that the database could not take: `OUTCOMES_SPOOL`, a file or a folder
    that is there, else `<file>.spool.jsonl`."""
    named = _named("OUTCOMES_SPOOL")
    if named and _is_folder(named):
        return named / _own_name(database)
    return named or _beside(database, ".spool.jsonl")


def spools(database: Path) -> list[Path]:
    """Return every path where outcomes of this database may wait, in the order in which they are tried:
    its spool, the file beside it, one in the user's folder of state (XDG)."""
    return list(dict.fromkeys([spool(database), *own_spools(database)]))


def own_spools(database: Path) -> list[Path]:
    """Return the spools whose names we choose."""
    names = [_beside(database, ".spool.jsonl")]
    named = _named("OUTCOMES_SPOOL")
    if named and _is_folder(named):
        names.append(named / _own_name(database))
    if folder := state_folder():
        names.append(folder / _own_name(database))
    return names


def drained(database: Path) -> list[Path]:
    """Return every spool that a drain of this database empties: its own, and that of outcomes which were recorded
    while outcomes.toml could not be read, if that file or the default names this database."""
    default = os.path.realpath(os.environ.get("OUTCOMES_DB") or DATABASE)
    unsettled = unsettled_spool()
    is_meant = unsettled is not None and default == os.path.realpath(database)
    return [*spools(database), *([unsettled] if unsettled and is_meant else [])]


def unsettled_spool() -> Path | None:
    """Return where outcomes wait while outcomes.toml cannot be read: in the user's folder of state, a file for each
    outcomes.toml. None without such a folder."""
    settings = Path(os.path.abspath(os.environ.get("OUTCOMES_CONFIG") or SETTINGS))  # noqa: PTH100 - as paths.absolute
    folder = state_folder()
    return folder / _own_name(settings) if folder else None


def state_folder() -> Path | None:
    """Return our folder among the user's folders of state (XDG); None if there is no home."""
    state = os.path.expanduser(os.environ.get("XDG_STATE_HOME") or "~/.local/state")  # noqa: PTH111 - it may fail
    return Path(state) / "model-outcomes" if os.path.isabs(state) else None  # noqa: PTH117 - as above


def published(database: Path) -> Path:
    """Return where a run leaves what passed its tests: `OUTCOMES_PUBLISH`, else published/ beside the database."""
    return _named("OUTCOMES_PUBLISH") or database.parent / "published"


def snapshot(database: Path) -> Path:
    """Return the published snapshot of the marts, an SQLite file."""
    return published(database) / SNAPSHOT


def runs(database: Path) -> Path:
    """Return where each run leaves its summary and results: `OUTCOMES_RUNS`, else runs/ beside the database."""
    return _named("OUTCOMES_RUNS") or database.parent / "runs"


def _beside(database: Path, suffix: str) -> Path:
    """Return the path beside the file that a link leads to: a database has one lock, spool and build folder under
    all its names."""
    return Path(f"{os.path.realpath(database)}{suffix}")


def _named(variable: str) -> Path | None:
    text = os.environ.get(variable)
    return Path(os.path.abspath(text)) if text else None  # noqa: PTH100 - as paths.absolute


@cache
def sha256() -> Any:
    """Return the hash function. `loader record` starts without it; a program that may still record when Python ends,
    and imports nothing any more, calls this before."""
    import hashlib

    return hashlib.sha256


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises if a folder above it may not be entered


def _own_name(database: Path) -> str:
    """Return a name for a folder that several databases share; a long one is cut, as a name has 255 bytes at most."""
    real = os.path.realpath(database)
    digest = sha256()(os.fsencode(real)).hexdigest()
    name = os.fsdecode(os.fsencode(os.path.basename(real))[:150])  # noqa: PTH119 - as text
    return f"{name}-{digest[:12]}.spool.jsonl"

"""The paths of files that belong to a database, and the variables that change them."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from model_outcomes.base.engines import SQLITE, TARGETS
from model_outcomes.base.errors import OutcomesError

SNAPSHOT = "model_outcomes.db"
SETTINGS = "outcomes.toml"
DATABASE = "data/outcomes.db"  # the default
SIDE_FILES = ("-wal", "-shm", "-journal")  # SQLite keeps these beside a database
NAME_BYTES = 150  # of a database's name, in the name of its spool


def default_path() -> Path:
    """Return the default database: `OUTCOMES_DB`, else data/outcomes.db."""
    return Path(os.environ.get("OUTCOMES_DB") or DATABASE)


def absolute(path: str | Path) -> Path:
    """Return a path as messages and the log have it: absolute, without dots, links not followed."""
    return Path(os.path.abspath(path))  # noqa: PTH100 - Path.absolute() keeps `..`


def source_name(name: str | Path) -> str:
    """Return the name of a file in the log: its absolute path, or "standard input" for `-`.

    Raises OutcomesError if the path is not UTF-8, because the log holds only text.
    """
    path = "standard input" if name == "-" else str(absolute(name))
    if shown_path(path) != path:
        raise OutcomesError(f"{shown_path(path)}: the name is not UTF-8: rename it")
    return path


def shown_path(path: str | Path) -> str:
    """Return a path as text. Bytes that are not UTF-8 become \\xff."""
    return os.fsencode(path).decode(errors="backslashreplace")


def build_folder(database: Path, target: str = SQLITE) -> Path:
    """Return the folder of a build's lock, logs and artifacts: `<file>.build`, or `<file>.<target>.build` on another
    engine."""
    return _beside(database, ".build" if target == SQLITE else f".{target}.build")


def spark(database: Path) -> Path:
    """Return the folder of Spark's tables: `OUTCOMES_SPARK`, else `<file>.spark`."""
    return _named("OUTCOMES_SPARK") or _beside(database, ".spark")


def parquet_log(database: Path) -> Path:
    """Return the folder of the log as Parquet files: `OUTCOMES_PARQUET`, else `<file>.parquet`."""
    return _named("OUTCOMES_PARQUET") or _beside(database, ".parquet")


def duckdb(database: Path) -> Path:
    """Return the database that DuckDB builds: `OUTCOMES_DUCKDB`, else `<file>.duckdb`."""
    return _named("OUTCOMES_DUCKDB") or _beside(database, ".duckdb")


def load_lock(database: Path) -> Path:
    """Return the lock of loads: `<file>.load.lock`."""
    return _beside(database, ".load.lock")


def federation_lock(database: Path) -> Path:
    """Return the lock of federated exports: `<file>.federation.lock`."""
    return _beside(database, ".federation.lock")


def holder_note(lock: Path) -> Path:
    """Return the file that names the holder of a lock."""
    return lock.with_suffix(".holder.json")


def belongings(database: Path) -> list[Path]:
    """Return the files and folders of a database that no command may use as an output: SQLite's own files, locks,
    spools and folders of builds. They need not exist."""
    locks = (load_lock(database), federation_lock(database))
    return [
        *(_beside(database, suffix) for suffix in SIDE_FILES),
        *locks,
        *map(holder_note, locks),
        *(Path(os.path.realpath(path)) for path in spools(database)),
        *(build_folder(database, target) for target in TARGETS),
    ]


def spool(database: Path) -> Path:
    """Return the file in which outcomes wait that the database could not take: `OUTCOMES_SPOOL` (a file, or an existing
    folder), else `<file>.spool.jsonl`."""
    named = _named("OUTCOMES_SPOOL")
    if named and _is_folder(named):
        return named / _own_name(database)
    return named or _beside(database, ".spool.jsonl")


def spools(database: Path) -> list[Path]:
    """Return all paths where outcomes of this database may wait, in the order of use: its spool, the file beside it, a
    file in the user's state folder (XDG)."""
    return list(dict.fromkeys([spool(database), *own_spools(database)]))


def own_spools(database: Path) -> list[Path]:
    """Return the spools with names that we chose."""
    names = [_beside(database, ".spool.jsonl")]
    named = _named("OUTCOMES_SPOOL")
    if named and _is_folder(named):
        names.append(named / _own_name(database))
    if folder := state_folder():
        names.append(folder / _own_name(database))
    return names


def drained(database: Path) -> list[Path]:
    """Return the spools that a drain of this database empties: its own, and that of outcomes recorded while
    outcomes.toml could not be read, if that file or the default names this database."""
    default = os.path.realpath(os.environ.get("OUTCOMES_DB") or DATABASE)
    unsettled = unsettled_spool()
    is_meant = unsettled is not None and default == os.path.realpath(database)
    return [*spools(database), *([unsettled] if unsettled and is_meant else [])]


def unsettled_spool() -> Path | None:
    """Return the spool for outcomes recorded while outcomes.toml cannot be read: in the user's state folder, one for
    each outcomes.toml. None without a state folder."""
    settings = Path(os.path.abspath(os.environ.get("OUTCOMES_CONFIG") or SETTINGS))  # noqa: PTH100 - as paths.absolute
    folder = state_folder()
    return folder / _own_name(settings) if folder else None


def state_folder() -> Path | None:
    """Return our folder in the user's state folder (XDG). None if there is no home folder."""
    state = os.path.expanduser(os.environ.get("XDG_STATE_HOME") or "~/.local/state")  # noqa: PTH111 - it may fail
    return Path(state) / "model-outcomes" if os.path.isabs(state) else None  # noqa: PTH117 - as above


def published(database: Path) -> Path:
    """Return the folder to which a run publishes: `OUTCOMES_PUBLISH`, else published/ beside the database."""
    return _named("OUTCOMES_PUBLISH") or database.parent / "published"


def snapshot(database: Path) -> Path:
    """Return the published snapshot of the marts, an SQLite file."""
    return published(database) / SNAPSHOT


def runs(database: Path) -> Path:
    """Return the folder of runs' summaries and results: `OUTCOMES_RUNS`, else runs/ beside the database."""
    return _named("OUTCOMES_RUNS") or database.parent / "runs"


def _beside(database: Path, suffix: str) -> Path:
    """Return a path beside the file itself, links followed, so that all names of a database share one lock, spool and
    build folder."""
    return Path(f"{os.path.realpath(database)}{suffix}")


def _named(variable: str) -> Path | None:
    text = os.environ.get(variable)
    return Path(os.path.abspath(text)) if text else None  # noqa: PTH100 - as paths.absolute


@cache
def sha256() -> Any:
    """Return the hash function. `loader record` starts faster without its import. A program that may record while
    Python ends, when imports fail, calls this earlier."""
    import hashlib

    return hashlib.sha256


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - Path.is_dir raises without permission


def _own_name(database: Path) -> str:
    """Return a unique name for a spool in a folder that several databases share. A name has at most 255 bytes."""
    real = os.path.realpath(database)
    digest = sha256()(os.fsencode(real)).hexdigest()
    name = os.fsdecode(os.fsencode(os.path.basename(real))[:NAME_BYTES])  # noqa: PTH119 - as text
    return f"{name}-{digest[:12]}.spool.jsonl"

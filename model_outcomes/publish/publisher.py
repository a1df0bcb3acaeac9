"""Publications: each run writes a folder of its own, and one rename of a link makes it the current publication.

    .versions/<run>/                     the publication of a run; the last two are kept
    current                              a link to one of them; publishing replaces only this link
    model_outcomes.db, csv/<mart>.csv    links through `current`, made once

All links are relative, so the folder can be moved. If a run is killed, all paths still lead to the same publication.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from model_outcomes.base import disk, outputs, paths
from model_outcomes.base.errors import OutcomesError
from model_outcomes.publish import exports, snapshot

UNFINISHED = ".unfinished"
VERSIONS = ".versions"
CURRENT = "current"
NEW_LINK = Path(VERSIONS, "link")  # made here, then renamed over the old link


@dataclass(frozen=True)
class Publication:
    """A publication that is written and synced, but not current yet. `files` are relative to `folder`; `size_bytes` is
    their total size."""

    folder: Path
    run_id: str
    files: list[str]
    marts: int
    size_bytes: int

    def move_into_place(self) -> None:
        """Make this publication the current one, then remove all others except the last one.

        Raises OutcomesError if that fails; the current publication then stays as it is.
        """
        folder = self.folder
        _expect_ours(folder, self.files)
        with _plain_faults(folder):
            version = _finish(folder, self.run_id)
            if not (folder / CURRENT).is_symlink():
                _adopt(folder)
            for file in sorted({*self.files, *_loose_files(folder)}):
                _link(folder, Path(file))
            for parent in {(folder / file).parent for file in self.files}:
                disk.sync(parent)
            before = _target(folder / CURRENT)
            _point(folder, folder / CURRENT, version)
            disk.sync(folder)
        # The new publication is current now. The next one removes files that cannot be removed now.
        with suppress(OSError):
            _clear(folder, keep={version, before})


def check(folder: Path, database: Path) -> None:
    """Raise OutcomesError if a run must not publish the marts of this database to `folder`. Change nothing.

    The folder may hold other files, which a publication does not touch."""
    outputs.check(folder, database, "folder", lambda _: True, is_folder=True)
    snapshot.refuse_another(folder / paths.SNAPSHOT, database)
    _expect_ours(folder, [paths.SNAPSHOT, exports.DESCRIPTOR])


def prepare(folder: Path, database: Path) -> None:
    """Make the folder, and check that files and links can be written there.

    Call it while holding the lock of the run: it removes the unfinished publication of a killed run. Raises
    OutcomesError as `check` does, and if the folder cannot be written.
    """
    check(folder, database)
    with _plain_faults(folder):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / VERSIONS).mkdir(exist_ok=True)
        shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
        (folder / UNFINISHED).mkdir()
        (folder / UNFINISHED / "link").symlink_to(CURRENT)
        shutil.rmtree(folder / UNFINISHED)


@contextmanager
def written(
    database: Path,
    folder: Path,
    *,
    run_id: str,
    as_of: str,
    report: str | None = None,
    source: snapshot.Source | None = None,
) -> Iterator[Publication]:
    """Write the marts of a database and the report as a publication that is not current yet, and yield it. `source` is
    the file with the marts, if they are not in the database itself.

    Raises OutcomesError if that fails; the current publication then stays as it is.
    """
    source = source or snapshot.of_log(database)
    unfinished = folder / UNFINISHED
    try:
        with _plain_faults(folder):
            shutil.rmtree(unfinished, ignore_errors=True)
            unfinished.mkdir()
            (folder / VERSIONS).mkdir(exist_ok=True)
            path = unfinished / paths.SNAPSHOT
            snapshot.write(path, source, run_id, as_of, snapshot.name_of(database, folder))
            files = exports.write(unfinished, path, source.marts, run_id, as_of, report)
            for file in {*files, *(file.parent for file in files)}:
                disk.sync(unfinished / file)
            size = sum((unfinished / file).stat().st_size for file in files)
        yield Publication(folder, run_id, [file.as_posix() for file in files], len(source.marts), size)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def last_published(folder: Path) -> str | None:
    """Return a description of the current publication, None if there is none."""
    run = snapshot.published_run(folder / paths.SNAPSHOT)
    return f"{folder} still holds run {run['run_id']}, as of {run['as_of']}" if run else None


def damaged_files(folder: Path) -> list[str]:
    """Return the published files, relative to the folder, that are missing, do not lead to the current publication, or
    differ from their digests."""
    current = (folder / CURRENT).resolve() if (folder / CURRENT).is_symlink() else folder
    damaged = set(exports.damaged_files(current))
    listed = {exports.DESCRIPTOR, *exports.listed_files(current)}
    return sorted(damaged | {file for file in listed if (folder / file).resolve() != current.resolve() / file})


@contextmanager
def _plain_faults(folder: Path) -> Iterator[None]:
    """Turn faults of writing into one-line OutcomesErrors. Faults of SQLite that concern the log pass unchanged."""
    try:
        yield
    except OSError as fault:
        raise OutcomesError(
            f"cannot publish to {folder}: {os.strerror(fault.errno) if fault.errno else fault}"
        ) from None
    except sqlite3.OperationalError as fault:
        if any(part in str(fault) for part in ("disk", "readonly", "unable to open")):
            raise OutcomesError(f"cannot publish to {folder}: {fault}") from None
        raise


def _expect_ours(folder: Path, files: Iterable[str]) -> None:
    """Raise OutcomesError if one of these paths, or a path that every publication needs, holds something that no run
    published."""
    current, versions = folder / CURRENT, folder / VERSIONS
    is_copy = current.is_dir() and exports.listed_files(current)  # a copy of the folder has no links
    foreign = []
    if not (_is_free(current) or is_copy or (_target(current) or "").startswith(f"{VERSIONS}/")):
        foreign.append(current)
    loose = _loose_files(folder)
    foreign += [path for path in (versions, folder / UNFINISHED) if not (_is_free(path) or _is_folder(path))]
    for file in map(Path, files):
        path = folder / file
        if not (_is_free(path.parent) or path.parent == folder or _is_folder(path.parent)):
            foreign.append(path.parent)
        elif not (_is_free(path) or _target(path) == _through(file) or file.as_posix() in loose):
            foreign.append(path)
    if foreign:
        raise OutcomesError(f"no run published {foreign[0]}: move it away, or name another folder with --publish")


def _loose_files(folder: Path) -> set[str]:
    """Return the published files, relative to the folder, that are not links, as in a folder that was copied without
    its links."""
    files = exports.listed_files(folder)
    if snapshot.published_run(folder / paths.SNAPSHOT):
        files.add(paths.SNAPSHOT)
    if exports.is_descriptor(folder / exports.DESCRIPTOR):
        files.add(exports.DESCRIPTOR)
    return {file for file in files if (folder / file).is_file() and not (folder / file).is_symlink()}


def _finish(folder: Path, name: str) -> str:
    """Rename the unfinished version. Return its path as the target of a link, `.versions/<name>`."""
    for number in count():
        version = Path(VERSIONS, f"{name}-{number}" if number else name)
        if _is_free(folder / version):
            break
    disk.sync(folder / UNFINISHED)
    (folder / UNFINISHED).rename(folder / version)
    disk.sync(folder / VERSIONS)
    return version.as_posix()


def _adopt(folder: Path) -> None:
    """Move published files that are not links into a version, and make that version current. The links that then
    replace these files lead to the same content."""
    loose = _loose_files(folder)
    for file in loose:
        copy = folder / UNFINISHED / file
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(folder / file, copy)
        except OSError:  # not every file system has hard links
            shutil.copy2(folder / file, copy)
            disk.sync(copy)
        disk.sync(copy.parent)
    version = _finish(folder, "adopted") if loose else None
    if not _is_free(folder / CURRENT):
        (folder / CURRENT).rename(folder / UNFINISHED)
        _finish(folder, "copied")
    if version:
        _point(folder, folder / CURRENT, version)
        disk.sync(folder)


def _link(folder: Path, file: Path) -> None:
    path = folder / file
    if _target(path) != _through(file):
        path.parent.mkdir(exist_ok=True)
        _point(folder, path, _through(file))


def _through(file: Path) -> str:
    """Return the target of the link at a published file."""
    return Path(*[".."] * (len(file.parts) - 1), CURRENT, file).as_posix()


def _point(folder: Path, link: Path, target: str) -> None:
    """Replace the file at `link` by a link, in one step."""
    new = folder / NEW_LINK
    new.unlink(missing_ok=True)
    new.symlink_to(target)
    new.replace(link)


def _clear(folder: Path, keep: set[str | None]) -> None:
    """Remove all versions except those in `keep`, and links to files that are no longer published."""
    for version in (folder / VERSIONS).iterdir():
        if f"{VERSIONS}/{version.name}" not in keep:
            shutil.rmtree(version, ignore_errors=True)
    for kind in ("", *exports.KINDS):
        if not _is_folder(folder / kind):
            continue
        for path in list((folder / kind).iterdir()):
            if _target(path) == _through(Path(kind, path.name)) and not path.exists():
                path.unlink()
        if kind:
            with suppress(OSError):  # other files are in it
                (folder / kind).rmdir()


def _target(path: Path) -> str | None:
    return os.readlink(path) if path.is_symlink() else None  # noqa: PTH115 - as text


def _is_free(path: Path) -> bool:
    return not os.path.lexists(path)


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()

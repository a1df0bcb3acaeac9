"""Publishing: what passed its tests, written beside what is published, then moved into its place.

Each file is whole at every moment: it is written under another name, brought to the disk, and takes the
place of the old one by a rename. The descriptor, which holds every file's digest, moves last.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from loader import disk, places
from loader.errors import OutcomesError
from loader.pipeline import exports, snapshot

UNFINISHED = ".unfinished"


@dataclass(frozen=True)
class Publication:
    """What is written and synced beside the published files; `files` are relative to `folder`."""

    folder: Path
    files: list[str]
    marts: int
    size_bytes: int

    def move_into_place(self) -> None:
        """Let each file take the place of the old one, and remove those that this run has no other for."""
        gone = {path.as_posix() for path in exports.files_of(self.folder)} - set(self.files)
        try:
            for file in self.files:
                (self.folder / file).parent.mkdir(exist_ok=True)
                (self.folder / UNFINISHED / file).replace(self.folder / file)
            for file in gone:
                (self.folder / file).unlink(missing_ok=True)
            for parent in {(self.folder / file).parent for file in self.files}:
                disk.sync(parent)
        except OSError as fault:
            raise OutcomesError(f"cannot publish to {self.folder}: {fault.strerror}") from None


def prepare(folder: Path, database: Path) -> None:
    """Make the folder, and see that it may be written to; call it within the lock, for what another run
    writes there is taken for a leftover. Raises OutcomesError where it may not be written to, or where the
    database of what was published there is another one."""
    snapshot.refuse_another(folder / places.SNAPSHOT, database)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(folder / UNFINISHED, ignore_errors=True)
        (folder / UNFINISHED).mkdir()
        (folder / UNFINISHED).rmdir()
    except OSError as fault:
        raise OutcomesError(f"cannot publish to {folder}: {fault.strerror}") from None


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
    """The marts of a database, and the page about them, as files that wait to be moved into place.
    `source` has the marts, where the database itself does not.

    Raises OutcomesError where they cannot be written: then what was published before is as it was.
    """
    source = source or snapshot.of_log(database)
    unfinished = folder / UNFINISHED
    try:
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir()
        path = unfinished / places.SNAPSHOT
        snapshot.write(path, source, run_id, as_of, snapshot.name_of(database, folder))
        files = [Path(places.SNAPSHOT), *exports.write(unfinished, path, source.marts, run_id, as_of, report)]
        for file in files:
            disk.sync(unfinished / file)
        size = sum((unfinished / file).stat().st_size for file in files)
        yield Publication(folder, [file.as_posix() for file in files], len(source.marts), size)
    except OSError as fault:
        raise OutcomesError(f"cannot publish to {folder}: {fault.strerror}") from None
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def last_published(folder: Path) -> str | None:
    """In words, what stands where a run publishes; None where nothing does."""
    found = snapshot.published_run(folder / places.SNAPSHOT)
    return f"{folder} still holds run {found['run_id']}, as of {found['as_of']}" if found else None

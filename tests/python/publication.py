"""What a reader finds in a folder that runs publish to."""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path

KINDS = ("csv", "jsonl", "parquet")


def contents(folder: Path) -> dict[str, bytes]:
    """The files by the paths that consumers know, without what is kept for the switch and without mine.csv."""
    paths = [path for pattern in ("*", *(f"{kind}/*" for kind in KINDS)) for path in folder.glob(pattern)]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths
            if path.is_file() and path.name != "mine.csv"}  # fmt: skip


def run_of(folder: Path) -> str | None:
    """The run whose whole publication is behind the paths; None if nothing is published. Fails if it is mixed."""
    found = contents(folder)
    if not found:
        return None
    package = json.loads(found["datapackage.json"])
    digests = {resource["path"]: resource["hash"] for resource in package["resources"]}
    assert digests == {
        name: f"sha256:{hashlib.sha256(content).hexdigest()}"
        for name, content in found.items() if name != "datapackage.json"
    }  # fmt: skip
    with closing(sqlite3.connect(f"file:{folder}/model_outcomes.db?mode=ro", uri=True)) as snapshot:
        assert snapshot.execute("select run_id from snapshot_run").fetchall() == [(package["run_id"],)]
        assert snapshot.execute("pragma integrity_check").fetchall() == [("ok",)]
    run_id: str = package["run_id"]
    return run_id

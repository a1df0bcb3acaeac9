"""`python -m benchmarks.engines`: builds on every engine, side by side, at several sizes.

Of each engine and size: the time to carry the log there and build from nothing, then with new outcomes: as many
at every size, so that what grows is the cost of history, and one for a hundred that are there. The whole command,
dbt's tests included. A size above `--log` has no SQLite log: its Parquet files are generated, for the engines that
read them. Memory is the most that the command and all its children held at once, PostgreSQL's server aside, on
which each size gets a database of its own.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from benchmarks import logs
from benchmarks.measuring import print_table, say
from model_outcomes.base import paths
from model_outcomes.base.engines import TARGETS
from model_outcomes.warehouse.engines.targets import IN_PLACE

BATCH = 10_000_000


class Warehouse:
    """A log of so many outcomes, and what the engines make of it."""

    def __init__(self, folder: Path, rows: int, has_log: bool) -> None:
        self.rows, self.has_log, self.appended = rows, has_log, 0
        self.database = folder / f"{rows}.db"
        say(f"making {rows:,} outcomes")
        if has_log:
            logs.make(self.database, rows)
        else:
            self.run("init")
            self.run("export-log", "--to", "parquet")
            generate(paths.parquet_log(self.database), 0, rows, rows)

    def append(self, new: int) -> None:
        if self.has_log:
            logs.append(self.database, new)
        else:
            first = self.rows + self.appended
            generate(paths.parquet_log(self.database), first, first + new, self.rows)
        self.appended += new

    def carry(self, target: str) -> float:
        """Seconds until the engine has the log; none where the files were generated or are the log's own."""
        if target == "sqlite" or not self.has_log:
            return 0.0
        return self.run("export-log", "--to", "postgres" if target == "postgres" else "parquet")[0]

    def run(self, *arguments: str) -> tuple[float, int]:
        """Seconds, and the most memory in bytes, of a command of the loader."""
        started = time.perf_counter()
        command = [sys.executable, "-c", "from loader.cli import main; main()", "--db", str(self.database), *arguments]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        peak = Peak(process.pid)
        _, said = process.communicate()
        if process.returncode:
            raise SystemExit(f"loader {' '.join(arguments)}: {said.decode()[-2000:]}")
        return time.perf_counter() - started, peak.bytes


class Peak(threading.Thread):
    """Watches a process and its children until it ends."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.bytes = pid, 0
        self.start()

    def run(self) -> None:
        while held := self._held():
            self.bytes = max(self.bytes, held)
            time.sleep(0.1)

    def _held(self) -> int:
        parents, pages = {}, {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(folder.name)], pages[int(folder.name)] = int(fields[1]), int(fields[21])
        family = {self.pid} & parents.keys()
        while more := {pid for pid, parent in parents.items() if parent in family} - family:
            family |= more
        return sum(pages[pid] for pid in family) * os.sysconf("SC_PAGE_SIZE")


def generate(folder: Path, first: int, last: int, spread: int) -> None:
    """What `benchmarks.logs` inserts, as batches of an exported log."""
    import duckdb

    with duckdb.connect() as connection:
        for start in range(first, last, BATCH):
            end = min(start + BATCH, last)
            connection.execute(f"""
                copy (
                    with hashed as (
                        select range as number, (range * 2654435761) % 4294967296 // 65536 % 1000 as hash,
                            strftime(timestamp '2024-01-01' + to_milliseconds(
                                range * {logs.DAYS * 86_400_000} // {spread}), '%Y-%m-%dT%H:%M:%S.%gZ') as timestamp
                        from range({start}, {end})
                    )
                    select number + 1 as id, printf('task-%02d', number % {logs.TASK_TYPES}) as task_type,
                        printf('model-%02d', number // {logs.TASK_TYPES} % {logs.MODELS}) as model_id,
                        cast(hash < 700 + number // {logs.TASK_TYPES} % {logs.MODELS} * 20 as bigint) as success,
                        0::bigint as timeout, (1000 + hash * 7)::bigint as tokens_used,
                        (1000 + hash * 7) / 250000.0e0 as cost_usd, timestamp,
                        null::varchar as event_id, null::varchar as task_id, null::varchar as experiment_id,
                        null::varchar as recorded_by, null::bigint as duration_ms, null::bigint as input_tokens,
                        null::bigint as output_tokens, null::varchar as error_type, 'provider' as cost_source,
                        timestamp[:10] as day
                    from hashed
                ) to '{folder}/.generated' (format parquet, compression zstd, partition_by (day), overwrite_or_ignore)
            """)
            (folder / ".generated").rename(folder / "model_outcomes" / f"batch={start + 1:018}-{end:018}")


def nodes(warehouse: Warehouse, target: str) -> float:
    """Seconds that dbt spent in its nodes in the last build."""
    results = paths.build_folder(warehouse.database, target) / "target" / "run_results.json"
    return float(sum(each["execution_time"] for each in json.loads(results.read_text())["results"]))


@contextmanager
def postgres_database(server: str, rows: int) -> Iterator[None]:
    """A database of its own for a size, which `OUTCOMES_POSTGRES` names meanwhile."""
    import psycopg2

    name = f"outcomes_{rows}"
    connection = psycopg2.connect(server)
    connection.autocommit = True
    with contextlib.closing(connection), connection.cursor() as cursor:
        cursor.execute(f"drop database if exists {name}")
        cursor.execute(f"create database {name} template template0 lc_collate 'C' lc_ctype 'C' encoding 'UTF8'")
        os.environ["OUTCOMES_POSTGRES"] = psycopg2.extensions.make_dsn(server, dbname=name)
        try:
            yield
        finally:
            os.environ["OUTCOMES_POSTGRES"] = server
            cursor.execute(f"drop database {name}")


@click.command(help=__doc__)
@click.option("--rows", multiple=True, type=int, default=(1_000_000, 10_000_000), show_default=True)
@click.option("--target", "targets", multiple=True, type=click.Choice(TARGETS), default=TARGETS)
@click.option("--new", default=10_000, show_default=True, help="Outcomes that come after the full build.")
@click.option("--log", default=10_000_000, show_default=True, help="The largest SQLite log that is made.")
@click.option("--in", "folder", type=click.Path(file_okay=False, path_type=Path), help="Instead of a temporary folder.")
def main(rows: tuple[int, ...], targets: tuple[str, ...], new: int, log: int, folder: Path | None) -> None:
    server = os.environ.get("OUTCOMES_POSTGRES")
    if "postgres" in targets and not server:
        say("PostgreSQL is left out: OUTCOMES_POSTGRES names no server")
        targets = tuple(target for target in targets if target != "postgres")
    measured = []
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        for size in rows:
            has_log = size <= log
            able = [target for target in targets if has_log or target in IN_PLACE]
            with postgres_database(str(server), size) if "postgres" in able else contextlib.nullcontext():
                warehouse = Warehouse(Path(temporary), size, has_log)
                for appended in (0, *sorted({new, size // 100})):
                    if appended:
                        warehouse.append(appended)
                    for target in able:
                        what = f"{appended:,} new" if appended else "everything"
                        measured.append((f"{size:,}", what, target, *_cells(warehouse, target)))
                        say(" | ".join(measured[-1]))
    print_table(
        "Builds on each engine", ("outcomes", "build of", "engine", "export", "build", "of it dbt's nodes", "memory"),
        measured,
    )  # fmt: skip


def _cells(warehouse: Warehouse, target: str) -> tuple[str, ...]:
    carried, (built, peak) = warehouse.carry(target), warehouse.run("build", "--target", target)
    in_nodes = f"{nodes(warehouse, target):.1f} s"
    return f"{carried:.1f} s" if carried else "", f"{built:.1f} s", in_nodes, f"{peak / 1e6:,.0f} MB"


if __name__ == "__main__":
    main()

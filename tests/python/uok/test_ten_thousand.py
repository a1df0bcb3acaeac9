"""Ten thousand rows, mirrored while they are written, corrected, mirrored again: every sum is the source's own."""

import csv
import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from model_outcomes.intake import uok
from model_outcomes.log import store

from ..conftest import with_dbt
from .conftest import TABLE, Orchestrator, unit

PROJECT = Path(__file__).parents[3]
ROWS = 10_000
# Two rows in each transaction, and no patience: an orchestrator that had to wait would lose its rows.
WRITER = """
import sqlite3, sys, time
from pathlib import Path
client = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)
pairs = 0
while not Path(sys.argv[2]).exists():
    client.execute("begin immediate")
    for half in "ab":
        client.execute(
            "insert into llm_task_outcomes (model_id, provider, unit_type, unit_id, succeeded, recorded_at)"
            " values ('kimi-coding/k2p5', 'kimi-coding', 'pair', ?, 1, ?)",
            (f"{half}{pairs}", 1770000000000 + pairs),
        )
    client.execute("update llm_task_outcomes set succeeded = 1 - succeeded where id = ?", (1 + pairs % 10000,))
    client.execute("commit")
    pairs += 1
    if pairs == 1:
        print("begun", flush=True)
    time.sleep(0.001)
print(pairs)
"""
SUMS = (
    "select unit_type, model_id, provider, count(*), sum(succeeded), sum(retries), count(verification_passed),"
    " sum(verification_passed), total(duration_ms), coalesce(sum(tokens_total), 0), count(cost_usd), {cost},"
    " min(recorded_at), max(recorded_at) from llm_task_outcomes group by 1, 2, 3 order by 1, 2, 3"
).format(cost="coalesce(sum(cast(cost_usd * 1e9 + 0.5 as integer)), 0)")


class World:
    """The orchestrator's database, our log, and what the passes said."""

    def __init__(self, folder: Path) -> None:
        self.uok = Orchestrator(folder / "uok.db")
        self.database = folder / "outcomes.db"
        self.whole_pairs: list[list[tuple[Any, ...]]] = []
        self.during: list[uok.SyncResult] = []
        self.settled: uok.SyncResult
        self.corrected: uok.SyncResult
        self.written = self.complaints = ""

    def sync(self) -> uok.SyncResult:
        with closing(store.create_or_open(self.database)) as connection:
            return uok.sync(connection, self.uok.path)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(sql).fetchall()

    def loader(self, *arguments: str, exit_code: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-c", "from loader.cli import main; main()", "--db", str(self.database), *arguments],
            env={**os.environ, "OUTCOMES_PROJECT": str(PROJECT), "OUTCOMES_WORKSPACE": str(PROJECT / "sample")},
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == exit_code, done.stdout + done.stderr
        return done.stdout


@pytest.fixture(scope="module")
@with_dbt
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    """Written, synced meanwhile, corrected, synced, and built."""
    world = World(tmp_path_factory.mktemp("uok"))
    world.uok.execute("pragma journal_mode = wal")
    world.uok.execute(TABLE)
    world.uok.add(unit(number) for number in range(ROWS))
    stop = world.uok.path.with_name("stop")
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, world.uok.path, stop], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert writer.stdout.readline() == "begun\n", writer.communicate()
    world.during = [world.sync() for _ in range(5)]
    for half in "ab":
        found = world.query(f"select substr(unit_id, 2) from llm_task_outcomes where unit_id glob '{half}*'")
        world.whole_pairs.append(sorted(found))
    stop.touch()
    world.written, world.complaints = writer.communicate()
    world.settled = world.sync()
    world.uok.execute("update llm_task_outcomes set succeeded = 1 - succeeded where id % 100 = 7 and id <= 10000")
    world.uok.execute(
        "update llm_task_outcomes set cost_usd = null, tokens_total = 77 where id % 100 = 8 and id <= 10000"
    )
    world.uok.execute("update llm_task_outcomes set cost_usd = 2.5 where id % 100 = 9 and id <= 10000")
    world.uok.add(unit(number) for number in range(ROWS, ROWS + 5))
    world.corrected = world.sync()
    world.loader("record", "--task-type", "other", "--model-id", "dune-coder", "--success")
    world.loader("build", "--quiet")
    return world


def test_the_writer_never_waited(world: World) -> None:
    assert world.complaints == ""
    assert int(world.written) > 10


def test_each_pass_saw_one_moment(world: World) -> None:
    assert [result.skipped for result in world.during] == [False] * 5
    seen = [result.seen for result in world.during]
    assert seen == sorted(seen)
    assert seen[-1] > seen[0] > ROWS
    assert all((count - ROWS) % 2 == 0 for count in seen)
    assert world.whole_pairs[0] == world.whole_pairs[1] != []


def test_what_was_written_meanwhile_came_with_the_next_pass(world: World) -> None:
    assert world.settled.seen == ROWS + 2 * int(world.written)
    assert world.settled.seen == world.during[-1].seen + world.settled.added


def test_corrections_are_counted_once_each(world: World) -> None:
    found = world.corrected
    assert (found.added, found.changed, found.rejected, found.vanished) == (5, 300, 0, 0)
    assert found.unchanged == world.settled.seen - 300


def test_every_sum_is_that_of_a_query_of_the_source(world: World) -> None:
    assert world.query(SUMS) == world.uok.execute(SUMS)
    assert len(world.query(SUMS)) == len(
        world.uok.execute("select distinct unit_type, model_id from llm_task_outcomes")
    )


def test_the_marts_sums_are_the_sources_under_the_names_of_the_log(world: World) -> None:
    with (PROJECT / "sample" / "seeds" / "model_aliases.csv").open() as file:
        aliases = {row["alias"]: row["model_id"] for row in csv.DictReader(file)}
    expected: dict[Any, list[Any]] = defaultdict(lambda: [0, 0, 0, None])  # what nobody priced has no cost
    rows = world.uok.execute("select unit_type, model_id, succeeded, tokens_total, cost_usd from llm_task_outcomes")
    for unit_type, model_id, succeeded, tokens, cost in rows:
        name = {**aliases, "openhub/dune-coder": "dune-coder"}.get(model_id, model_id)
        cell = expected[unit_type, name]
        for place, value in enumerate((succeeded, 1 - succeeded, tokens or 0)):
            cell[place] += value
        if cost is not None:
            cell[3] = (cell[3] or 0) + round(cost * 1e9)
    found = world.query(
        "select task_type, model_id, successes, failures, total_tokens, cast(round(total_cost * 1e9) as integer)"
        " from model_performance"
    )
    assert {(row[0], row[1]): list(row[2:]) for row in found} == dict(expected)
    reconciled = world.query(
        "select task_type, model_id, uok_successes, uok_failures, uok_total_tokens,"
        " cast(round(uok_total_cost * 1e9) as integer) from outcome_reconciliation where side = 'uok'"
    )
    assert sorted(reconciled) == sorted(found)
    assert world.query("select task_type, model_id from outcome_reconciliation where side = 'ours'") == [
        ("other", "dune-coder")
    ]


def test_the_audit_computes_the_marts_again_and_agrees(world: World) -> None:
    compared = json.loads(world.loader("audit", "--json"))
    assert compared["differences"] == []
    cells = world.query("select count(distinct task_type || model_id) from model_performance")[0][0]
    assert compared["rows"]["model_performance"] == cells > 10
    assert compared["rows"]["outcome_reconciliation"] == cells + 1


def test_the_audit_sees_a_mart_that_counts_wrongly(world: World, tmp_path: Path) -> None:
    spoilt = World(tmp_path)
    shutil.copy(world.database, spoilt.database)
    with closing(sqlite3.connect(spoilt.database)) as connection, connection:
        for table, column in (("model_performance", "retries"), ("outcome_reconciliation", "total_tokens_difference")):
            columns = [name for _, name, *_ in connection.execute(f"pragma table_info({table})")]
            connection.execute(f"create table kept as select * from {table}")
            connection.execute(f"drop view {table}")
            connection.execute(f"create table {table} as select {', '.join(columns)} from kept")
            connection.execute("drop table kept")
            connection.execute(f"update {table} set {column} = {column} + 1 where rowid = 1")
    done = spoilt.loader("audit", "--json", exit_code=1)
    found = json.loads(done)["differences"]
    assert [(one["table"], one["column"], one["actual"] - one["expected"]) for one in found] == [
        ("model_performance", "retries", 1),
        ("outcome_reconciliation", "total_tokens_difference", 1),
    ]


def test_a_file_that_did_not_change_is_skipped_until_it_does(world: World) -> None:
    assert world.sync().skipped
    world.uok.execute("update llm_task_outcomes set retries = retries + 1 where id = 1")
    found = world.sync()
    assert (found.skipped, found.changed, found.added) == (False, 1, 0)
    assert world.sync().skipped

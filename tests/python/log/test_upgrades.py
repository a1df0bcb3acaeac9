"""A file of an earlier version becomes one of this version whole, or stays as it was."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from model_outcomes.log import store, upgrades

# As an earlier tool made it: no version, the original columns, statistics kept beside them.
ORIGINAL = """
create table model_stats (
    task_type text not null, model_id text not null, successes integer, failures integer,
    primary key (task_type, model_id)
);
create table model_outcomes (
    id integer primary key autoincrement, task_type text not null, model_id text not null, success integer not null,
    timeout integer default 0, tokens_used integer default 0, cost_usd real default 0.0, timestamp text not null,
    foreign key (task_type, model_id) references model_stats (task_type, model_id)
);
create index model_outcomes_task_model on model_outcomes (task_type, model_id);
create view worst as select * from model_stats order by failures desc;
insert into model_stats values ('coding', 'alpha', 2, 1);
"""
GOOD = [
    (1, "coding", "alpha", 1, 0, 100, 0.25, "2026-01-31T12:00:00.000Z"),
    (2, "coding", "alpha", 0, 1, None, None, "2026-01-31T13:00:00.000Z"),
    (9, "coding", "beta", 1, None, 7, 0.0, "2026-01-31 14:00:00"),
]
BAD = [
    (3, "coding", "alpha", 1, 0, -5, 0.0, "2026-01-31T12:00:00Z"),
    (4, "", "alpha", 1, 0, 0, 0.0, "2026-01-31T12:00:00Z"),
    (5, "coding", "alpha", 1, 0, 0, 0.0, "yesterday"),
    (6, "coding", "alpha", 7, 0, 0, 0.0, "2026-01-31T12:00:00Z"),
]

REFUSE_ID_OF_VERSION_3 = """
create trigger model_outcomes_refuse_id before insert on model_outcomes when new.id <> -1
begin
    select raise(abort, 'model_outcomes.id must be above the last one: leave it out')
    where new.id <= (select coalesce(max(id), 0) from model_outcomes);
end
"""


@pytest.fixture
def original(database: Path) -> Path:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executescript(ORIGINAL)
        connection.executemany("insert into model_outcomes values (?, ?, ?, ?, ?, ?, ?, ?)", [*GOOD, *BAD])
    return database


def contents(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as connection:
        return [*connection.iterdump(), str(connection.execute("pragma user_version").fetchone())]


def test_rows_of_an_original_file_move_in_their_order(original: Path, invoke, query) -> None:
    assert invoke("init").exit_code == 0
    columns = "task_type, model_id, success, timeout, tokens_used, cost_usd, timestamp"
    assert query("select id from model_outcomes order by id") == [(1,), (2,), (9,)]
    assert query(f"select {columns} from model_outcomes order by id") == [
        ("coding", "alpha", 1, 0, 100, 0.25, "2026-01-31T12:00:00.000Z"),
        ("coding", "alpha", 0, 1, 0, 0.0, "2026-01-31T13:00:00.000Z"),
        ("coding", "beta", 1, 0, 7, 0.0, "2026-01-31 14:00:00"),
    ]
    assert query("pragma user_version") == [(store.SCHEMA_VERSION,)]
    assert query("pragma foreign_key_check(model_outcomes)") == []


def test_what_the_guards_refuse_is_kept_with_its_reason(original: Path, invoke, query) -> None:
    invoke("init")
    refused = query("select line_number, reasons, raw_text from rejected_outcomes order by line_number")
    assert [row[0] for row in refused] == [row[0] for row in BAD]
    assert [json.loads(row[2]) for row in refused] == [list(row[1:]) for row in BAD]
    for (_, reasons, _), guard in zip(refused, ["tokens_used", "task_type", "timestamp", "success"], strict=True):
        assert guard in reasons
    assert query("select accepted_count, rejected_count from load_history") == [(3, 4)]


def test_the_name_model_stats_becomes_free(original: Path, invoke, query) -> None:
    invoke("init")
    assert query("select type from sqlite_master where name = 'model_stats'") == []
    assert query("select * from original_model_stats") == [("coding", "alpha", 2, 1)]
    with closing(sqlite3.connect(original)) as connection, connection:
        connection.execute("create view model_stats as select 0 as failures")
        assert connection.execute("select * from worst").fetchall() == [(0,)]


def test_the_upgraded_file_takes_outcomes(original: Path, invoke, query, line) -> None:
    assert invoke("load", "-", input=line(model_id="gamma")).exit_code == 0
    assert query("select count(*), max(id) from model_outcomes") == [(4, 10)]
    with closing(sqlite3.connect(original)) as connection, pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute("delete from model_outcomes")


def test_the_original_table_is_kept_aside_with_all_that_belongs_to_it(database: Path, invoke, query) -> None:
    trigger = "CREATE TRIGGER mine after insert on model_outcomes begin select 1; end"
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executescript(ORIGINAL)
        connection.execute("alter table model_outcomes add column prompt text")
        connection.execute(trigger)
        connection.execute("insert into model_outcomes values (7, 't', 'm', 1, 0, 5, 0.5, '2026-01-31T12:00Z', 'Hi')")
        (index,) = connection.execute("select sql from sqlite_master where type = 'index' and sql > ''").fetchone()
    assert invoke("init").exit_code == 0
    assert query("select * from original_model_outcomes") == [
        (7, "t", "m", 1, 0, 5, 0.5, "2026-01-31T12:00Z", "Hi"),
    ]
    kept = query("select type, name, sql from original_schema where table_name = 'model_outcomes' and type <> 'table'")
    assert sorted(kept) == [("index", "model_outcomes_task_model", index), ("trigger", "mine", trigger)]
    assert query("select id from model_outcomes") == [(7,)]


def test_ids_that_jump_are_kept_and_one_that_leaves_none_is_refused(database: Path, invoke, query, line) -> None:
    rows = [(row_id, *GOOD[0][1:]) for row_id in (3, 5_000_000, 2**63 - 1)]
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executescript(ORIGINAL)
        connection.executemany("insert into model_outcomes values (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    invoke("init")
    assert invoke("load", "-", input=line()).exit_code == 0
    assert query("select id from model_outcomes order by id") == [(3,), (5_000_000,), (5_000_001,)]
    assert query("select line_number from rejected_outcomes") == [(2**63 - 1,)]


def test_rows_ahead_of_the_clock_stay_in_a_file_of_version_3(invoke, query, line, database: Path) -> None:
    invoke("load", "-", input=line())
    wanted = query("select type, name, sql from sqlite_master order by type, name")
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("drop trigger model_outcomes_refuse_insert")
        connection.execute(REFUSE_ID_OF_VERSION_3)
        connection.execute(
            "insert into model_outcomes (task_type, model_id, success, timestamp)"
            " values ('t', 'm', 1, '9999-01-01T00:00')"
        )
        connection.execute("pragma user_version = 3")
    assert invoke("init").exit_code == 0
    assert query("select type, name, sql from sqlite_master order by type, name") == wanted
    assert query("select timestamp from model_outcomes where id = 2") == [("9999-01-01T00:00",)]


def test_it_happens_once(original: Path, invoke) -> None:
    invoke("init")
    before = contents(original)
    invoke("init")
    assert contents(original) == before


def test_a_failing_upgrade_leaves_the_file_whole(original: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = contents(original)

    def fail(*_: Any) -> None:
        raise RuntimeError("in the middle")

    monkeypatch.setattr(upgrades, "_adopt", fail)
    with pytest.raises(RuntimeError, match="in the middle"):
        store.create_or_open(original)
    assert contents(original) == before
    monkeypatch.undo()
    store.create_or_open(original).close()
    assert contents(original) != before


def test_a_file_of_version_1_gets_what_it_lacks_and_keeps_its_rows(invoke, query, line, database: Path) -> None:
    invoke("load", "-", input=line())
    wanted = query("select type, name, sql from sqlite_master order by type, name")
    with closing(sqlite3.connect(database)) as connection:
        kept = ("model_outcomes", "legacy_model_stats", "load_history", "rejected_outcomes", "sqlite_sequence")
        for (name,) in connection.execute("select name from sqlite_master where type = 'table'").fetchall():
            if name not in kept:
                connection.execute(f"drop table {name}")
        connection.execute("drop index load_history_heads")
        # As version 1 had it, less most of its columns.
        connection.execute("create table llm_task_outcomes (unit_id text primary key, retries integer) strict")
        connection.execute("pragma user_version = 1")
        connection.commit()
    assert invoke("init").exit_code == 0
    assert query("select type, name, sql from sqlite_master order by type, name") == wanted
    assert query("select count(*) from model_outcomes") == [(1,)]
    assert query("pragma user_version") == [(store.SCHEMA_VERSION,)]


def test_runs_of_a_file_of_version_2_were_on_sqlite(invoke, query, database: Path) -> None:
    invoke("init")
    wanted = query("select type, name, sql from sqlite_master order by type, name")
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("alter table run_history drop column target")
        connection.execute("alter table inbox_files drop column attempts")
        connection.execute("drop index load_history_heads")
        connection.execute("create view last_runs as select status from run_history")
        connection.executemany(
            "insert into run_history (run_id, started_at, status, message, accepted_count) values (?, ?, ?, ?, ?)",
            [("b", "2026-01-31T12:00:00Z", "failed", "the disk is full", 3),
             ("a", "2026-01-31T13:00:00Z", "succeeded", None, 4)],
        )  # fmt: skip
        connection.execute("pragma user_version = 2")
    assert invoke("init").exit_code == 0
    assert query("pragma user_version") == [(store.SCHEMA_VERSION,)]
    assert query("select run_id, status, target, message, accepted_count from run_history order by rowid") == [
        ("b", "failed", "sqlite", "the disk is full", 3), ("a", "succeeded", "sqlite", None, 4),
    ]  # fmt: skip
    assert query("select * from last_runs") == [("failed",), ("succeeded",)]
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("drop view last_runs")
    assert query("select type, name, sql from sqlite_master order by type, name") == wanted


def test_version_3_keeps_its_exports_and_gains_carries(invoke, query, database: Path) -> None:
    invoke("init")
    wanted = query("select type, name, sql from sqlite_master order by type, name")
    carries = ("tokens_carry", "cost_carry", "success_cost_carry", "infrastructure_tokens_carry",
               "infrastructure_cost_carry")  # fmt: skip
    with closing(sqlite3.connect(database)) as connection:
        for table in ("federated_export_rows", "federated_import_rows"):
            for carry in carries:
                connection.execute(f"alter table {table} drop column {carry}")
        connection.execute(
            "insert into federated_export_rows (export_id, task_type, model_id, outcomes, successes, timeouts,"
            " infrastructure_failures, tokens, cost_nano_usd) values (1, 'code', 'able', 12, 9, 0, 0, 7, 8)"
        )
        connection.execute("pragma user_version = 3")
        connection.commit()
    invoke("init")
    assert query("pragma user_version") == [(store.SCHEMA_VERSION,)]
    assert query("select outcomes, tokens, cost_nano_usd, cost_carry from federated_export_rows") == [(12, 7, 8, None)]
    assert query("select type, name, sql from sqlite_master order by type, name") == wanted


@pytest.fixture
def later_versions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two versions that are still to come."""
    steps = {
        5: lambda connection: connection.execute("alter table load_history add column host text"),
        6: lambda connection: connection.execute("update load_history set host = 'here'"),
    }
    monkeypatch.setattr(store, "UPGRADES", steps)
    monkeypatch.setattr(store, "SCHEMA_VERSION", 7)


def test_upgrades_follow_one_another(invoke, query, line, request: pytest.FixtureRequest) -> None:
    invoke("load", "-", input=line())
    request.getfixturevalue("later_versions")
    assert invoke("init").exit_code == 0
    assert query("select host, accepted_count from load_history") == [("here", 1)]
    assert query("pragma user_version") == [(7,)]


@pytest.mark.usefixtures("later_versions")
def test_a_new_file_is_of_the_newest_version_at_once(invoke, query) -> None:
    assert invoke("init").exit_code == 0
    assert query("pragma user_version") == [(7,)]


def test_a_chain_that_breaks_leaves_the_version_it_began_with(
    invoke, line, database: Path, request: pytest.FixtureRequest
) -> None:
    invoke("load", "-", input=line())
    before = contents(database)
    request.getfixturevalue("later_versions")
    store.UPGRADES[5] = lambda connection: connection.execute("update no_such_table set host = ''")  # type: ignore
    assert invoke("init").exit_code == 2
    assert contents(database) == before

"""`loader load` of JSON Lines, validated, against other ways into the same guarded table.

Every side starts a process and fills an empty log with its CHECKs, triggers and indexes, synchronous=NORMAL:

- `.import`: sqlite3's own, of the same rows as CSV (target: load >= 1.3 of its rate)
- tuples: executemany of ready-made rows, 10,000 a transaction (target: load >= 0.85 of its rate)
- load without triggers, and without checks too: what the log's guards cost
- sqlite-utils insert --nl, DuckDB's reader: where they are installed; into tables of their own, without guards

CPU is user and system time of the process.
"""

from __future__ import annotations

import os
import pickle
import shutil
import sqlite3
import statistics
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

from benchmarks import outcomes
from benchmarks.measuring import paired_ratio, print_table, say

ROUNDS = 7
LOAD = "from loader.cli import main; main()"
TUPLES = """
import pickle, sys
from model_outcomes.base import paths
from model_outcomes.log import store
from model_outcomes.log.outcome import INSERTS
rows = pickle.load(open(sys.argv[2], "rb"))
connection = store.create_or_open(paths.absolute(sys.argv[1]), durability="normal")
for start in range(0, len(rows), 10_000):
    with store.transaction(connection):
        connection.executemany(INSERTS[len(rows[0])], rows[start : start + 10_000])
connection.close()
"""
READ_PICKLE = "import pickle, sys; from model_outcomes.log import store, outcome; pickle.load(open(sys.argv[1], 'rb'))"
DUCKDB = """
import sys, duckdb
connection = duckdb.connect(sys.argv[1])
query = "create table model_outcomes as select * from read_json(?, format = 'newline_delimited')"
connection.execute(query, [sys.argv[2]])
"""
UNGUARDED = {"load without triggers": False, "load without triggers and checks": True}
Times = tuple[float, float]


def main(folder: Path, lines: int) -> None:
    say(f"writing {lines:,} outcomes")
    jsonl, table, pickled = folder / "log.jsonl", folder / "log.csv", folder / "rows"
    ready = outcomes.rows(lines)
    outcomes.write_jsonl(jsonl, lines)
    outcomes.write_csv(table, ready)
    pickled.write_bytes(pickle.dumps(ready))
    del ready
    python, database = sys.executable, str(folder / "rate.db")
    sides = {
        "load": [python, "-c", LOAD, "--db", database, "load", "--durability", "normal", str(jsonl)],
        "tuples": [python, "-c", TUPLES, database, str(pickled)],
    }
    sides |= dict.fromkeys(UNGUARDED, sides["load"])
    if shutil.which("sqlite3"):
        sides[".import"] = [
            "sqlite3",
            database,
            "pragma synchronous = normal",
            ".mode csv",
            f'.import "{table}" model_outcomes',
        ]
    if shutil.which("sqlite-utils"):
        sides["sqlite-utils"] = ["sqlite-utils", "insert", "--nl", f"{database}.other", "model_outcomes", str(jsonl)]
    if subprocess.run([python, "-c", "import duckdb"], stderr=subprocess.DEVNULL, check=False).returncode == 0:
        sides["duckdb"] = [python, "-c", DUCKDB, f"{database}.other", str(jsonl)]
    _, reading = _run(folder, [python, "-c", READ_PICKLE, str(pickled)])
    taken: dict[str, list[Times]] = {name: [] for name in sides}
    for number, name in outcomes.by_turns([*sides], ROUNDS):
        wall, cpu = _run(folder, sides[name], name)
        if number:
            # What the ready-made rows take to be read back is no part of inserting them.
            taken[name].append((wall - reading, cpu - reading) if name == "tuples" else (wall, cpu))
    print_table(
        f"Loading {lines:,} outcomes, {ROUNDS} rounds"
        " (targets: load >= 1.3 of the rate of .import, >= 0.85 of that of tuples)",
        ("way", "wall", "rows/s", "cpu", "load's rate to this, wall", "cpu"),
        [
            (
                name,
                f"{statistics.median(wall for wall, _ in all_):.2f} s",
                f"{lines / statistics.median(wall for wall, _ in all_):,.0f}",
                f"{statistics.median(cpu for _, cpu in all_):.2f} s",
                *(f"**{paired_ratio(_clock(all_, clock), _clock(taken['load'], clock)):.2f}**" for clock in (0, 1)),
            )
            for name, all_ in taken.items()
        ],
    )


def _clock(times: list[Times], clock: int) -> list[float]:
    return [each[clock] for each in times]


def _run(folder: Path, command: list[str], side: str = "") -> Times:
    with closing(outcomes.fresh_log(folder, "rate.db")) as connection:
        if side in UNGUARDED:
            _take_guards_away(connection, checks=UNGUARDED[side])
    before, wall = os.times(), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    wall, after = time.perf_counter() - wall, os.times()
    return wall, sum(after[2:4]) - sum(before[2:4])


def _take_guards_away(connection: sqlite3.Connection, *, checks: bool) -> None:
    """Of an empty log: its triggers and, where asked for, every CHECK; types, keys and indexes stay."""
    of_log = "from sqlite_master where tbl_name = 'model_outcomes' and sql is not null and type ="
    for (name,) in connection.execute(f"select name {of_log} 'trigger'").fetchall():
        connection.execute(f"drop trigger {name}")
    if not checks:
        return
    indexes = [sql for (sql,) in connection.execute(f"select sql {of_log} 'index'").fetchall()]
    columns = connection.execute("select name, type, \"notnull\", dflt_value from pragma_table_info('model_outcomes')")
    definitions = [
        f"{name} {type_}{' not null' if required else ''}{'' if default is None else f' default {default}'}"
        f"{' primary key autoincrement' if name == 'id' else ' unique' if name == 'event_id' else ''}"
        for name, type_, required, default in columns
    ]
    connection.execute("drop table model_outcomes")
    for sql in (f"create table model_outcomes ({', '.join(definitions)}) strict", *indexes):
        connection.execute(sql)

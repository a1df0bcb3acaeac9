"""Sums of a log whose every outcome is at the limits of its columns: exact, and never an overflow."""

import json
import sqlite3
from contextlib import closing

from model_outcomes.intake import legacy
from model_outcomes.log import store

from .conftest import Warehouse

OUTCOMES = 10_000
FILES = 200
NANO_USD, TOKENS = 10**15, 10**12  # of one outcome
LEGACY_NANO_USD, LEGACY_TOKENS = 10**17, 10**15  # of one file
# One more nano-dollar must still tell in a sum that 64 bits do not hold.
ODD_COST = "0.000000001"


def record(warehouse: Warehouse, outcomes: int, day: str = "2026-03-01") -> None:
    with closing(sqlite3.connect(warehouse.database)) as connection:
        connection.executemany(
            "insert into model_outcomes (task_type, model_id, success, tokens_used, cost_usd, timestamp, duration_ms,"
            " input_tokens, output_tokens)"
            " values ('code', 'dear', ?, 1000000000000, 1000000.0, ?, 1000000000000, 1000000000000, 1000000000000)",
            ((number % 2, f"{day}T{number % 24:02}:00:00Z") for number in range(outcomes)),
        )
        connection.commit()


def test_every_sum_is_exact_at_the_limits(new_warehouse: Warehouse) -> None:
    warehouse, folder = new_warehouse, new_warehouse.database.parent
    record(warehouse, OUTCOMES // 2)
    warehouse.build("+int_outcomes_totals", "+int_outcomes_daily")
    # The rollups add up to more than 64 bits here, and the last outcomes are known to the live views alone.
    record(warehouse, OUTCOMES // 2 - 100)
    warehouse.loader("build", "--quiet")
    record(warehouse, 100)
    warehouse.write(
        "insert into model_outcomes (task_type, model_id, success, cost_usd, timestamp)"
        f" values ('code', 'dear', 1, {ODD_COST}, '2026-03-01T00:00:00Z')"
    )
    nano_usd, tokens = OUTCOMES * NANO_USD + 1, OUTCOMES * TOKENS
    (stats,) = json.loads(warehouse.loader("stats", "--json").stdout)
    assert stats["total_cost"] == nano_usd / 10**9
    assert stats["total_tokens"] == tokens
    assert stats["avg_tokens"] == TOKENS
    assert stats["successes"] == OUTCOMES // 2 + 1
    (ranked,) = json.loads(warehouse.loader("rank", "code", "--json").stdout)
    assert (ranked["trials"], ranked["total_cost"]) == (OUTCOMES + 1, nano_usd / 10**9)
    assert "agree with 10,001 outcomes" in warehouse.loader("audit").stdout

    cell = {"successes": 10, "failures": 0, "totalTokens": LEGACY_TOKENS, "totalCost": LEGACY_NANO_USD // 10**9}
    for number in range(FILES):
        (folder / f"{number}.json").write_text(json.dumps({"code": {"dear": {**cell, "successes": 10 + number}}}))
    with closing(store.open_to_change(warehouse.database)) as connection:
        for number in range(FILES):
            legacy.import_file(connection, folder / f"{number}.json")
    nano_usd, tokens = nano_usd + FILES * LEGACY_NANO_USD, tokens + FILES * LEGACY_TOKENS
    (stats,) = json.loads(warehouse.loader("stats", "--json").stdout)
    assert (stats["total_cost"], stats["total_tokens"]) == (nano_usd / 10**9, tokens)
    assert "agree with 10,001 outcomes" in warehouse.loader("audit").stdout
    (day,) = warehouse.rows("select * from model_daily_trends")
    for window in ("", "trailing_7d_", "trailing_28d_"):
        assert day[f"{window}total_cost"] == (OUTCOMES - 100) * NANO_USD / 10**9
        assert day[f"{window}total_tokens"] == (OUTCOMES - 100) * TOKENS

    other = Warehouse(project=warehouse.project, database=folder / "other.db")
    with closing(sqlite3.connect(warehouse.database)) as own, closing(sqlite3.connect(other.database)) as copy:
        own.backup(copy)
    warehouse.loader("export-federated", "-o", folder / "export.jsonl")
    lines = [json.loads(line) for line in (folder / "export.jsonl").read_text().splitlines()]
    rows = {line["n"]: line for line in lines if line["line"] == "row"}
    told = rows[OUTCOMES + 1]
    assert told["cost_nano_usd"] + 10**11 * told["cost_carry"] == OUTCOMES * NANO_USD + 1
    assert told["success_cost_nano_usd"] + 10**11 * told["success_cost_carry"] == OUTCOMES // 2 * NANO_USD + 1
    assert (told["tokens"], told.get("tokens_carry")) == (OUTCOMES * TOKENS, None)
    opening = rows[sum(10 + number for number in range(FILES))]
    assert opening["cost_nano_usd"] + 10**11 * opening["cost_carry"] == FILES * LEGACY_NANO_USD
    other.loader("import-federated", folder / "export.jsonl")
    (pooled,) = other.rows("select * from federated_model_stats")
    assert pooled["avg_tokens"] == TOKENS
    assert pooled["cost_per_success"] == (OUTCOMES * NANO_USD + 1) / 10**9 / (OUTCOMES // 2 + 1)
    warehouse.loader("export-log", "--to", "parquet", folder / "log")
    assert "0 outcomes exported" in warehouse.loader("export-log", "--to", "parquet", folder / "log").stdout

"""A date that is years ahead, in a file that let it in: it hides no day, and makes nobody the incumbent."""

import sqlite3
from contextlib import closing
from datetime import date, timedelta

from .conftest import Warehouse, outcome

PUT = "insert into model_outcomes (task_type, model_id, success, timestamp) values ('code', ?, 1, ?)"
FIRST = date(2026, 3, 1)
DAYS = 40  # the last one is 2026-04-09


def test_a_slip_of_a_clock_hides_no_day_and_makes_no_incumbent(new_warehouse: Warehouse) -> None:
    warehouse = new_warehouse
    warehouse.load(
        outcome(
            model_id=model,
            success=(day + each) % 3 > 0,
            timestamp=f"{FIRST + timedelta(days=day)}T1{each}:00:00Z",
        )
        for model, tries in (("usual", 3), ("other", 2))
        for day in range(DAYS)
        for each in range(tries)
    )
    with closing(sqlite3.connect(warehouse.database)) as connection:
        # As a file from before the guard holds it.
        for (name,) in connection.execute(
            "select name from sqlite_master where type = 'trigger' and sql like '%before insert on model_outcomes%'"
        ).fetchall():
            connection.execute(f'drop trigger "{name}"')
        connection.execute(PUT, ("usual", "9999-12-31T23:59:59Z"))
        connection.execute(PUT, ("other", "2099-01-01T00:00:00Z"))
        connection.execute(PUT, ("exact", "2026-03-02T23:59:59.9999Z"))
        connection.commit()
    warehouse.loader("build", "--quiet")
    days = "select count(*), sum(attempts) from model_daily_trends where model_id = ?"
    assert warehouse.query(days, "usual") == [(DAYS + 1, DAYS * 3 + 1)]
    assert warehouse.query(days, "other") == [(DAYS + 1, DAYS * 2 + 1)]
    assert warehouse.query("select outcome_date from model_daily_trends where model_id = 'exact'") == [("2026-03-02",)]
    assert warehouse.query("select model_id from int_incumbents") == [("usual",)]
    last = "select trailing_28d_trials from model_daily_trends where model_id = 'usual' and outcome_date = ?"
    assert warehouse.query(last, "9999-12-31") == [(1,)]
    assert warehouse.query(last, "2026-04-09") == [(28 * 3,)]
    assert "agree with" in warehouse.loader("audit").stdout
    shown = warehouse.loader("trends", "code", "--days", "7").stdout
    assert "2026-04-09" in shown
    assert "2026-04-02" not in shown
    # Neither was ever priced.
    assert warehouse.query("select distinct total_cost, trailing_7d_total_cost from model_daily_trends") == [
        (None, None)
    ]
    assert warehouse.query("select distinct total_cost, infrastructure_cost from model_stats") == [(None, None)]

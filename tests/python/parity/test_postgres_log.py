"""`loader export-log --to postgres`: the whole log once, in a database that sorts as the log does."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model_outcomes.base.errors import OutcomesError
from model_outcomes.log import store
from model_outcomes.warehouse.engines import postgres_log

from ..conftest import Invoke
from .test_parquet_log import COLUMNS, outcomes, write

NO_SERVER = "postgresql://outcomes@127.0.0.1:1/outcomes"


@pytest.fixture
def new_database(request: pytest.FixtureRequest) -> Callable[..., str]:
    """The DSN of a database that was just made."""
    dsn: str = request.getfixturevalue("postgres_dsn")
    import psycopg2

    made: list[str] = []

    def make(options: str = "") -> str:
        name = f"test_{abs(hash(request.node.name)) % 10**9}_{len(made)}"
        made.append(name)
        server = psycopg2.connect(dsn)
        server.autocommit = True
        server.cursor().execute(f"create database {name} template template0 {options}")
        server.close()
        return f"{dsn.rpartition('/')[0]}/{name}"

    return make


def rows(dsn: str, query: str) -> list[tuple[Any, ...]]:
    import psycopg2

    server = psycopg2.connect(dsn)
    cursor = server.cursor()
    cursor.execute(query)
    found: list[tuple[Any, ...]] = cursor.fetchall()
    server.close()
    return found


@pytest.mark.slow
def test_each_value_arrives_as_it_is(database: Path, invoke: Invoke, new_database: Callable[..., str]) -> None:
    write(
        database,
        ("a\\b\tc\n\r\\N", "\\N", 1, 0, 10**12, 0.1 + 0.2, "2026-01-31T23:30:00-01:00", "ä€😀"),
        ("code", "able", 0, 1, 0, 1e-9, "2026-01-31 12:00", "nul:\0"),
    )
    dsn = new_database()
    assert invoke("export-log", "--to", "postgres", dsn).exit_code == 0
    assert rows(dsn, f"select id, {COLUMNS}, task_id from model_outcomes order by id") == [
        (1, "a\\b\tc\n\r\\N", "\\N", 1, 0, 10**12, 0.1 + 0.2, "2026-02-01T00:30:00.000Z", "ä€😀", None),
        (2, "code", "able", 0, 1, 0, 1e-9, "2026-01-31T12:00:00.000Z", "nul:\N{REPLACEMENT CHARACTER}", None),
    ]
    assert "0 outcomes exported" in invoke("export-log", "--to", "postgres", dsn).output


@pytest.mark.slow
def test_what_was_carried_stays_when_a_later_stretch_fails(
    database: Path, invoke: Invoke, new_database: Callable[..., str]
) -> None:
    write(database, *outcomes(10))
    dsn = new_database()

    def fail(carried: int) -> None:
        if rows(dsn, "select count(*) from model_outcomes") == [(6,)]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        postgres_log.export(store.open_existing(database), dsn, stretch=3, progress=fail)
    assert rows(dsn, "select max(id), count(*) from model_outcomes") == [(6, 6)]
    assert "4 outcomes exported" in invoke("export-log", "--to", "postgres", dsn).output
    assert rows(dsn, "select max(id), count(*) from model_outcomes") == [(10, 10)]


@pytest.mark.slow
def test_another_log_is_refused(database: Path, invoke: Invoke, new_database: Callable[..., str]) -> None:
    write(database, *outcomes(3))
    dsn = new_database()
    invoke("export-log", "--to", "postgres", dsn)
    for file in database.parent.glob("outcomes.db*"):
        file.unlink()
    write(database, *outcomes(3, "2026-02-01T12:00:00Z"))
    done = invoke("export-log", "--to", "postgres", dsn)
    assert (done.exit_code, "is another log: its outcome" in done.output) == (2, True)


@pytest.mark.slow
def test_two_at_once_are_told_apart(database: Path, new_database: Callable[..., str]) -> None:
    write(database, *outcomes(3))
    dsn = new_database()

    def again(carried: int) -> None:
        postgres_log.export(store.open_existing(database), dsn)

    with pytest.raises(OutcomesError, match="another export to this database is running"):
        postgres_log.export(store.open_existing(database), dsn, progress=again)


@pytest.mark.slow
def test_a_database_that_sorts_otherwise_is_refused(
    database: Path, invoke: Invoke, new_database: Callable[..., str]
) -> None:
    write(database, *outcomes(1))
    done = invoke("export-log", "--to", "postgres", new_database("encoding 'LATIN1'"))
    assert done.exit_code == 2
    assert "create database outcomes template template0 lc_collate 'C'" in done.output


@pytest.mark.slow
def test_no_server_is_one_line(database: Path, invoke: Invoke, new_database: Callable[..., str]) -> None:
    write(database, *outcomes(1))
    done = invoke("export-log", "--to", "postgres", NO_SERVER)
    assert (done.exit_code, len(done.output.splitlines())) == (2, 1)
    assert "refused" in done.output


def test_no_name_of_a_database_is_one_line(database: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OUTCOMES_POSTGRES", raising=False)
    write(database, *outcomes(1))
    done = invoke("export-log", "--to", "postgres")
    assert (done.exit_code, len(done.output.splitlines())) == (2, 1)
    assert "OUTCOMES_POSTGRES" in done.output

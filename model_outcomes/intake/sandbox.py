"""An SQLite database of its own, in which a mapping's SELECT reads documents and can do nothing else."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from collections.abc import Mapping as Map
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from model_outcomes.base.errors import OutcomesError
from model_outcomes.intake.documents import DOCUMENT_LIMIT_BYTES, Document, attached
from model_outcomes.intake.mapping import PARAMETERS, Mapping, usage

TIME_LIMIT_S = 300.0  # of one SELECT
RAW_LIMIT_BYTES = 8_000_000_000  # of the documents that one SELECT reads
STEPS_PER_CHECK = 100_000  # of SQLite's machine, between two looks at the clock
ROWS_PER_BATCH = 5_000
TABLE = "create table raw (source text not null, member text, number integer not null, doc text not null)"
# The responses in the usage logs among the documents, each once: a mapping joins them with its verdicts.
USAGE = """create temp view usage as with
items as materialized (
    select source, number, doc as item from raw where json_type(doc) = 'object'
    union all
    select raw.source, each.id, each.value from raw
    inner join json_each(raw.doc, case json_type(raw.doc) when 'array' then '$' else '$.data' end) as each
    where each.type = 'object'
),
responses as ({})
select source, tool, request_id, session_id, model_id, timestamp, input_tokens, output_tokens, cached_input_tokens,
    cost_usd
from responses where copy = 1"""
READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_RECURSIVE}
FORBIDDEN_FUNCTIONS = {"load_extension", "fts3_tokenizer", "randomblob", "zeroblob"}
_SQLITE_LIMIT_LENGTH = 0


class Rows:
    """The rows of a mapping's SELECT: the names of its columns, and the values in batches. The first batch is read at
    once. If it is the only one, a transaction that writes it need not wait for the SELECT."""

    def __init__(self, cursor: sqlite3.Cursor, faults: Any) -> None:
        self.names = [column[0] for column in cursor.description or ()]
        self._cursor, self._faults = cursor, faults
        self._first = self._fetched()

    @property
    def is_one_batch(self) -> bool:
        return len(self._first) < ROWS_PER_BATCH

    def batches(self) -> Iterator[list[tuple[Any, ...]]]:
        rows, self._first = self._first, []
        while rows:
            yield rows
            rows = self._fetched()

    def _fetched(self) -> list[tuple[Any, ...]]:
        with self._faults():
            return self._cursor.fetchmany(ROWS_PER_BATCH)


@contextmanager
def rows(
    mapping: Mapping,
    documents: Iterable[Document],
    database: Path | None,
    parameters: Map[str, Any],
    *,
    time_limit_s: float = TIME_LIMIT_S,
) -> Iterator[Rows]:
    """Yield the rows of a mapping over documents, and over an SQLite database, which it sees as `source`.

    Raises OutcomesError, which names the mapping, if its SELECT fails, tries to do more than read, or takes longer
    than `time_limit_s`.
    """
    # The name "file:" is a file that SQLite deletes; it is written only if the documents do not fit into memory.
    with closing(sqlite3.connect("file:", uri=True, isolation_level=None)) as connection:
        connection.execute(TABLE)
        if "usage" in mapping.sql.lower():
            parts = "\nunion all\n".join(f"select * from ({each.sql})" for each in usage().values())
            connection.execute(USAGE.format(parts))
        connection.execute("begin")
        connection.executemany("insert into raw values (?, ?, ?, ?)", _bounded(documents, mapping))
        connection.execute("commit")
        if database:
            attached(connection, database)
            connection.text_factory = _text  # the documents are UTF-8, but a database may hold any bytes
        _add_functions(connection)
        # SQLite makes these two when they are first used, by a statement that the authorizer would deny.
        connection.execute("select * from json_each('[]'), json_tree('[]')").fetchone()
        deadline = time.monotonic() + time_limit_s

        @contextmanager
        def faults() -> Iterator[None]:
            try:
                yield
            except (sqlite3.Error, sqlite3.Warning) as fault:
                if time.monotonic() > deadline:
                    message = f"the mapping {mapping.name} took longer than {time_limit_s:g} seconds"
                else:
                    message = f"the mapping {mapping.name} fails: {_in_words(fault)}"
                raise OutcomesError(message) from None

        with faults():
            connection.set_authorizer(_judge)
            connection.set_progress_handler(lambda: time.monotonic() > deadline, STEPS_PER_CHECK)
            values = {**dict.fromkeys(PARAMETERS), **parameters}
            selected = Rows(connection.execute(mapping.sql, values), faults)
        if not selected.names:
            raise OutcomesError(f"the mapping {mapping.name} holds no SELECT")
        yield selected


def _bounded(documents: Iterable[Document], mapping: Mapping) -> Iterator[Document]:
    size = 0
    for document in documents:
        size += len(document.doc)
        if size > RAW_LIMIT_BYTES:
            raise OutcomesError(f"{mapping.name} reads at most {RAW_LIMIT_BYTES:,} bytes at once: load fewer files")
        yield document


def _add_functions(connection: sqlite3.Connection) -> None:
    connection.create_function("folder_of", 1, _folder, deterministic=True)
    connection.create_function("name_of", 1, _name, deterministic=True)
    if hasattr(connection, "setlimit"):  # from Python 3.11 on
        connection.setlimit(_SQLITE_LIMIT_LENGTH, 2 * DOCUMENT_LIMIT_BYTES)


def _folder(path: str | None) -> str | None:
    return path and os.path.dirname(path)  # noqa: PTH120 - ten times faster than pathlib


def _name(path: str | None) -> str | None:
    return path and os.path.basename(path)  # noqa: PTH119


def _text(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def _judge(action: int, first: str | None, second: str | None, database: str | None, trigger: str | None) -> int:
    """Allow a statement to read, and to call functions of SQLite's. `second` is the name of a function."""
    if action in READING:
        return sqlite3.SQLITE_OK
    if action == sqlite3.SQLITE_FUNCTION and (second or "").lower() not in FORBIDDEN_FUNCTIONS:
        return sqlite3.SQLITE_OK
    return sqlite3.SQLITE_DENY


def _in_words(fault: sqlite3.Error | sqlite3.Warning) -> str:
    message = " ".join(str(fault).split())
    if "not authorized" in message or "one statement" in message or "prohibited" in message:
        return f"{message} (a mapping is one SELECT over raw and source)"
    return message

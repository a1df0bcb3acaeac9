"""The server over real HTTP: whom it answers, and what a query may take from the others."""

import http.client
import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest

from model_outcomes.publish.explorer import access, limits

ENDLESS = "with recursive n(i) as (select 1 union all select i + 1 from n) select max(i) from n"
RUN = "/model_outcomes/snapshot_run.json?_shape=array"


def answer(address: str, path: str = RUN, *hosts: str) -> tuple[int, bytes]:
    """Ask with the Host headers given, the usual one unless there are any; the status and the body."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(address).netloc, timeout=120)
    connection.putrequest("GET", path, skip_host=bool(hosts))
    for host in hosts:
        connection.putheader("Host", host)
    connection.endheaders()
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


@pytest.fixture(scope="module")
def server(serving: Any) -> Iterator[str]:
    with serving() as (_, address):
        yield address


def asked(sql: str) -> str:
    return "/model_outcomes.json?_shape=array&" + urllib.parse.urlencode({"sql": sql})


def port(address: str) -> str:
    return str(urllib.parse.urlsplit(address).port)


def test_it_answers_for_no_name_of_a_stranger(serving: Any) -> None:
    with serving("--allow-host", "outcomes.example") as (_, address):
        for host in ("127.0.0.1", "localhost", "LOCALHOST", "localhost.", "[::1]", "outcomes.example"):
            for shown in (host, f"{host}:{port(address)}", f"{host}:9"):
                assert answer(address, RUN, shown)[0] == 200, shown
        strangers = ("evil.example", f"evil.example:{port(address)}", "localhost.evil.example", "127.0.0.1.evil",
                     "", "outcomes.example.evil", "[::1", "0.0.0.0", "localhost:80@evil.example")  # fmt: skip
        for host in strangers:
            status, body = answer(address, RUN, host)
            assert status in (400, 421), host
            assert b"run_id" not in body
            if host == "evil.example":
                assert (status, b"--allow-host" in body) == (421, True)
        assert answer(address, RUN, "localhost", "evil.example")[0] in (400, 421)


def test_on_all_addresses_it_answers_for_the_names_that_are_allowed(serving: Any) -> None:
    with serving("--host", "0.0.0.0", "--allow-host", "here.example") as (_, address):
        assert answer(address, RUN, "here.example")[0] == 200
        assert answer(address, RUN, "localhost")[0] == 200
        for host in ("0.0.0.0", "192.0.2.7", "evil.example"):
            assert answer(address, RUN, host)[0] == 421
    with serving("--host", "0.0.0.0") as (process, address):
        assert process.stdout.readline() == (
            "it answers only for localhost: allow the name of this machine with --allow-host NAME\n"
        )
        assert answer(address, RUN, "localhost")[0] == 200


def test_no_page_is_left_out(server: str) -> None:
    pages = ("model_outcomes", "-/dashboards/outcomes", "model_outcomes/model_stats.csv", "-/versions",
             "outcomes-static/explorer.css", "nothing/here")  # fmt: skip
    for page in pages:
        assert answer(server, f"/{page}", "evil.example")[0] == 421
        assert answer(server, f"/{page}")[0] in ((404,) if page == "nothing/here" else (200, 302))


TOO_LARGE = {
    "one value": "select length(hex(zeroblob(400000000)))",
    "a value that grows": "with recursive n(t) as (select 'x' union all select t || t from n) select length(t) from n",
    "a value of all rows": "select length(group_concat(hex(zeroblob(400000)))) from model_stats a, model_stats b",
    "many values": "select hex(zeroblob(400000)) from model_stats a, model_stats b, model_stats c",
    "many columns": f"select {', '.join(['a.rowid'] * 1999)} from model_daily_trends a, model_daily_trends b",
}  # fmt: skip


def test_a_query_that_asks_for_too_much_memory_is_refused(serving: Any) -> None:
    with serving() as (process, address):
        for name, sql in TOO_LARGE.items():
            status, body = answer(address, asked(sql))
            assert (status, b"error" in body) == (400, True), name
        with open(f"/proc/{process.pid}/status") as lines:  # noqa: PTH123
            peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
        assert peak < 600_000  # kB
        assert answer(address)[0] == 200


def test_rows_are_bounded(server: str) -> None:
    sql = "with recursive n(i) as (select 1 union all select i + 1 from n limit 30000) select i from n"
    status, body = answer(server, asked(sql).replace("_shape=array&", ""))
    found = json.loads(body)
    assert (status, len(found["rows"]), found["truncated"]) == (200, 20_000, True)


def test_endless_queries_keep_nobody_waiting_for_a_prepared_one(serving: Any) -> None:
    """Prepared pages are answered while endless queries run, and of too many of these the rest is turned away."""
    with serving() as (_, address):
        ended: list[int] = []
        threads = [threading.Thread(target=lambda: ended.append(answer(address, asked(ENDLESS))[0])) for _ in range(20)]
        for thread in threads:
            thread.start()
        while len(ended) < 20 - access.MAX_RUNNING - access.MAX_WAITING:
            assert any(thread.is_alive() for thread in threads)
            time.sleep(0.01)
        assert set(ended) == {503}
        for page in (RUN, "/model_outcomes/dashboard.json", "/model_outcomes/model_stats"):
            assert answer(address, page)[0] == 200
        in_time = len(ended)
        assert in_time < 20  # endless ones still ran, or waited
        for thread in threads:
            thread.join()
        assert sorted(ended) == [400] * (access.MAX_RUNNING + access.MAX_WAITING) + [503] * (
            20 - access.MAX_RUNNING - access.MAX_WAITING
        )


def test_charts_of_the_dashboard_are_no_own_queries() -> None:
    from model_outcomes.publish.explorer import dashboard

    prepared = {chart["query"] for chart in dashboard.page("code")["charts"].values()}

    def brings(**asked: str) -> bool:
        return access._brings_sql({"type": "http", "query_string": urllib.parse.urlencode(asked).encode()}, prepared)

    assert len(prepared) >= 5
    assert not any(brings(sql=query, task_type="code", _shape="objects") for query in prepared)
    assert brings(sql=ENDLESS)
    assert brings(_where="1 = 1")
    assert brings(sql=f"{min(prepared)} ")
    assert not brings(task_type="code")


def test_the_cursor_counts_what_it_fetches() -> None:
    import sqlite3

    connection = sqlite3.connect(":memory:", factory=limits.Connection)
    rows = (
        "with recursive n(i) as (select 1 union all select i + 1 from n limit {}) select hex(zeroblob(250000)) from n"
    )
    fits = limits.MAX_ANSWER_BYTES // 500_000
    assert len(connection.execute(rows.format(fits)).fetchall()) == fits
    assert len(connection.execute(rows.format(fits + 9)).fetchmany(fits)) == fits
    for fetch in (lambda cursor: cursor.fetchall(), lambda cursor: cursor.fetchmany(fits + 1)):
        with pytest.raises(sqlite3.OperationalError, match="more than 32,000,000 bytes"):
            fetch(connection.execute(rows.format(fits + 1)))
    connection.close()

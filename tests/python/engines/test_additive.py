"""The additive materialization: every row counts exactly once, whatever is killed when."""

import re
import sqlite3

import pytest

SOURCES = """
version: 2
sources:
  - name: log
    schema: main
    tables: [{name: events}, {name: pauses}]
"""
TOTALS = """
version: 2
models:
  - name: totals
    config:
      materialized: additive
      contract: {enforced: true}
      unique_key: [kind]
      meta:
        minimum_columns: [first_at]
        maximum_columns: [last_at, last_id]
        watermark: last_id
      post_hook: "select /* at the end */ max(i) from pause_at_the_end"
    columns:
      - {name: kind, data_type: text}
      - {name: events, data_type: bigint, constraints: [{type: not_null, warn_unsupported: false}]}
      - {name: amount, data_type: bigint}
      - {name: first_at, data_type: text}
      - {name: last_at, data_type: text}
      - {name: last_id, data_type: bigint}
"""
TOTALS_SQL = """
select
    kind,
    count(*) as events,
    sum(amount) as amount,
    min(at) as first_at,
    max(at) as last_at,
    max(id) as last_id
from {{ source('log', 'events') }}
where id > {{ rolled_up_to() }} and (select /* in the delta */ max(i) from pause_in_the_delta) > 0
group by kind
"""
TRUTH = "select kind, count(*), sum(amount), min(at), max(at), max(id) from events group by kind order by kind"
FOUND = "select kind, events, amount, first_at, last_at, last_id from totals order by kind"


def pause(point):
    """A view that takes no time, or a minute or more while its name is in the table pauses."""
    return f"""
        create view {point} as
        with recursive spin(i) as (
            select 1
            union all
            select i + 1 from spin where i < 1000000000 and exists (select 1 from pauses where point = '{point}')
        )
        select i from spin;
    """


def add_events(project, count):
    """Events of ever new kinds, days out of order, and nulls in what is summed and compared."""
    project.script(f"""
        insert into events (kind, amount, at)
        with recursive numbers(i) as (select 1 union all select i + 1 from numbers where i < {count})
        select
            'kind ' || (i % 97),
            nullif(i % 7, 3),
            case when i % 5 > 0 then date('2026-01-01', (i * 7919 % 400 - 200) || ' days') end
        from numbers;
    """)


@pytest.fixture(scope="module")
def built(module_project):
    project = module_project
    project.write(sources_yml=SOURCES, totals_yml=TOTALS, totals=TOTALS_SQL)
    project.script(
        "create table events (id integer primary key autoincrement, kind text, amount integer, at text);"
        "create table pauses (point text);" + pause("pause_in_the_delta") + pause("pause_at_the_end")
    )
    add_events(project, 500)
    project.build()
    return project


@pytest.fixture
def rollup(built, tmp_path):
    return built.copy_to(tmp_path)


def test_builds_add_up_to_the_truth(rollup):
    assert rollup.query(FOUND) == rollup.query(TRUTH)
    add_events(rollup, 300)
    rollup.script("insert into events (kind, amount, at) values ('late', null, null), ('early', 5, '2026-03-01')")
    rollup.build()
    assert rollup.query(FOUND) == rollup.query(TRUTH)
    rollup.script("insert into events (kind, amount, at) values ('early', null, null), ('late', 5, '2026-03-01')")
    rollup.build()
    assert rollup.query(FOUND) == rollup.query(TRUTH)
    of_two = (2, 5, "2026-03-01", "2026-03-01")
    a_null_never_wins = "select events, amount, first_at, last_at from totals where kind in ('early', 'late')"
    assert rollup.query(a_null_never_wins) == [of_two, of_two]
    rollup.build()
    assert rollup.query(FOUND) == rollup.query(TRUTH), "a build without anything new changed something"


def test_a_changed_contract_rebuilds(rollup):
    rollup.write(
        totals_yml=TOTALS + "      - {name: most, data_type: bigint}\n",
        totals=TOTALS_SQL.replace("    max(id) as last_id\n", "    max(id) as last_id,\n    max(amount) as most\n"),
    )
    rollup.build()
    assert rollup.query(FOUND) == rollup.query(TRUTH)
    assert rollup.query("select max(most) from totals") == [(6,)]
    assert not rollup.leftovers()


def test_a_delta_computed_before_another_merge_is_void(rollup):
    """While one build waits for the lock, what another would do is done; its own delta must not count again."""
    add_events(rollup, 100)
    build = rollup.start("run")
    other = rollup.connect()
    other.execute("begin immediate")
    rollup.await_log("as existing (")
    other.execute("delete from totals")
    other.execute(f"insert into totals {TRUTH}")
    other.execute("commit")
    assert rollup.finish(build), rollup.output()
    assert rollup.query(FOUND) == rollup.query(TRUTH)


@pytest.mark.parametrize(
    ("point", "arguments"),
    [
        pytest.param("in the delta", [], id="in the delta"),
        pytest.param("at the end", [], id="in the merge"),
        pytest.param("at the end", ["--full-refresh"], id="in the swap of a full refresh"),
    ],
)
def test_killed_at_a_point(rollup, point, arguments):
    before = rollup.query(FOUND)
    add_events(rollup, 300)
    rollup.script(f"insert into pauses values ('pause_{point.replace(' ', '_')}')")
    build = rollup.start("run", *arguments)
    rollup.await_log(f"/* {point} */ max(i)")
    writer = rollup.connect(timeout=0.5)
    if point == "in the delta":
        writer.execute("insert into events (kind) values ('recorded meanwhile')")
    else:
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            writer.execute("begin immediate")
    assert rollup.query(FOUND) == before
    rollup.kill(build)
    assert rollup.query(FOUND) == before
    rollup.script("delete from pauses")
    rollup.build()
    assert rollup.query(FOUND) == rollup.query(TRUTH)
    assert not rollup.leftovers()


def test_killed_between_chunks(rollup):
    """97 kinds by 10 rows a chunk; a writer's lock between two of them gives the time to kill."""
    before = rollup.query(FOUND)
    build = rollup.start("run", "--full-refresh")
    while not rollup.leftovers():
        assert build.is_alive()
    writer = rollup.connect()
    writer.execute("begin immediate")
    rollup.kill(build)
    writer.execute("commit")
    assert rollup.leftovers(), "killed too late"
    assert rollup.query(FOUND) == before
    rollup.build()
    assert rollup.query(FOUND) == rollup.query(TRUTH)
    assert not rollup.leftovers()


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("watermark: first_at", "watermark must be one of maximum_columns"),
        ("minimum_columns: [first]", "no column first"),
        ("contract: {enforced: false}", "needs an enforced contract"),
    ],
)
def test_a_wrong_config_is_named(rollup, change, complaint):
    key = change.split(":")[0]
    rollup.write(totals_yml=re.sub(rf"\b{key}: .*", change, TOTALS))
    assert not rollup.dbt("run")
    assert complaint in rollup.messages()["totals"]


def test_unit_tests_see_the_delta(rollup):
    rollup.write(totals=TOTALS_SQL.replace("rolled_up_to()", "rolled_up_to('last_id')"))
    rollup.put(
        "models/units.yml",
        """
version: 2
unit_tests:
  - name: everything_if_no_table_exists
    model: totals
    given:
      - input: source('log', 'events')
        rows: [{id: 1, kind: a, amount: 2}, {id: 2, kind: a, amount: 3}]
    expect:
      rows: [{kind: a, amount: 5, last_id: 2}]
  - name: only_what_is_new
    model: totals
    given:
      - input: source('log', 'events')
        rows: [{id: 1, kind: a, amount: 2}, {id: 2, kind: a, amount: 3}]
      - input: this
        format: sql
        rows: select 1 as last_id
    expect:
      rows: [{kind: a, amount: 3, last_id: 2}]
""",
    )
    assert rollup.dbt("test"), rollup.output()

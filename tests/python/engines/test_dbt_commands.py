"""Other dbt commands on SQLite: seeds, unit tests, freshness, documentation, retry."""

import json
from datetime import datetime, timedelta, timezone

NOW = datetime.now(timezone.utc)


def iso(moment, offset_hours=0):
    return moment.astimezone(timezone(timedelta(hours=offset_hours))).isoformat()


def test_seeds_follow_their_file(project):
    project.put("seeds/prices.csv", "name,price\na,1\nb,2\n")
    project.put(
        "seeds/seeds.yml",
        "version: 2\nseeds:\n- name: prices\n  description: One row per name.\n"
        "  config: {column_types: {name: text, price: real}}\n",
    )
    assert project.dbt("seed"), project.output()
    project.put("seeds/prices.csv", "name,price,since\na,1,2026\n")
    assert project.dbt("seed"), project.output()
    assert project.query("select name, price, typeof(price), since from prices") == [("a", 1.0, "real", 2026)]


FRESHNESS = {
    "fresh": [iso(NOW - timedelta(hours=1)), iso(NOW - timedelta(days=9))],
    "stale": [iso(NOW - timedelta(days=3)), iso(NOW - timedelta(days=9))],
    "stale behind the future": [iso(NOW - timedelta(days=3)), iso(NOW + timedelta(days=2)), "9999-01-01T00:00:00Z"],
    "fresh behind offsets": [iso(NOW - timedelta(hours=2), 14), iso(NOW - timedelta(hours=1), -12), "not a time"],
    "empty": [],
}


def test_freshness_is_of_what_can_be_believed(project):
    tables = [name.replace(" ", "_") for name in FRESHNESS]
    project.put(
        "models/sources.yml",
        "version: 2\nsources:\n- name: log\n  schema: main\n  config:\n    loaded_at_field: loaded_at\n"
        "    freshness: {error_after: {count: 1, period: day}}\n"
        "  tables:\n  - {name: by_query, config: {loaded_at_query: select max(loaded_at) from fresh}}\n"
        + "".join(f"  - {{name: {table}}}\n" for table in tables),
    )
    for table, times in zip(tables, FRESHNESS.values(), strict=True):
        values = ", ".join(f"('{time}')" for time in times)
        project.script(f"create table {table} (loaded_at text); create index {table}_at on {table} (loaded_at);")
        if times:
            project.script(f"insert into {table} values {values}")
    assert not project.dbt("source", "freshness")
    results = json.loads((project.folder / "target" / "sources.json").read_text())["results"]
    status = {result["unique_id"].split(".")[-1]: result["status"] for result in results}
    fresh = {"fresh", "fresh_behind_offsets", "by_query"}
    assert status == {table: "pass" if table in fresh else "error" for table in [*tables, "by_query"]}
    loaded_at = {
        result["unique_id"].split(".")[-1]: datetime.fromisoformat(result["max_loaded_at"].replace("Z", "+00:00"))
        for result in results
        if result.get("max_loaded_at")
    }
    assert abs(loaded_at["stale_behind_the_future"] - (NOW - timedelta(days=3))) < timedelta(seconds=2)
    assert abs(loaded_at["fresh_behind_offsets"] - (NOW - timedelta(hours=1))) < timedelta(seconds=2)


def test_commands_of_one_project(project):
    project.put(
        "dbt_project.yml",
        (project.folder / "dbt_project.yml").read_text() + "data_tests: {+store_failures: true}\n",
    )
    project.write(
        parent="select 'a' as name, date('2026-01-31') as day, 1 as n union all select 'b', date('2026-02-01'), 2",
        child="{{ config(materialized='table') }} "
        "select name, day, {{ var('column', 'n') }} as n from {{ ref('parent') }}",
        models_yml="""
version: 2
models:
  - name: child
    description: One row per name.
    columns:
      - name: n
        description: A number.
        data_tests:
          - accepted_values: {name: only_one, arguments: {values: [1], quote: false}, config: {severity: warn}}
unit_tests:
  - name: dates_of_a_view_stay_dates
    model: child
    given: [{input: ref('parent'), rows: [{name: x, day: '2024-12-31', n: 0.5}, {name: null, day: null}]}]
    expect: {rows: [{name: x, day: '2024-12-31', n: 0.5}, {name: null, day: null, n: null}]}
""",
    )
    project.build()
    assert project.query("select * from only_one") == [(2, 1)]

    assert project.dbt("show", "-s", "child", "--output", "json"), project.output()
    assert '"2026-02-01"' in project.output()

    assert project.dbt("docs", "generate", "--static"), project.output()
    catalog = json.loads((project.folder / "target" / "catalog.json").read_text())
    assert {"model.fixture.parent", "model.fixture.child"} <= set(catalog["nodes"])

    assert not project.dbt("run", "--vars", "column: no_such_column")
    assert project.query("select count(*) from child") == [(2,)]
    project.script(
        "drop view parent; create table parent as select 'a' as name, '2026-01-01' as day, 1 as no_such_column"
    )
    assert project.dbt("retry"), project.output()
    assert project.query("select * from child") == [("a", "2026-01-01", 1)]

"""Tables, views and incremental dbt models: contracts, references, and old rows that stay when a build fails."""

import sqlite3

import pytest

SOURCES = """
version: 2
sources:
  - name: log
    schema: main
    tables: [{name: readings}]
"""


def contract(name, *columns, **config):
    """The YAML of one dbt model whose contract is enforced."""
    lines = [f"  - name: {name}", "    config:", "      contract: {enforced: true}"]
    lines += [f"      {key}: {value}" for key, value in config.items()]
    return "\n".join([*lines, "    columns:", *(f"      - {{{column}}}" for column in columns), ""])


# For each kind of fault: the constraints that `value` carries, a row that breaks them, and what dbt must say of it.
FAULTS = {
    "required": (
        "constraints: [{type: not_null}]",
        (3, None),
        "NOT NULL constraint failed: required__dbt_staged.value",
    ),
    "checked": (
        "constraints: [{type: check, expression: value >= 0}]",
        (3, -1),
        "CHECK constraint failed: checked.value: value >= 0",
    ),
    "unique_values": (
        "constraints: [{type: unique}]",
        (3, 1),
        "UNIQUE constraint failed: unique_values__dbt_staged.value",
    ),
    "typed": ("", (3, "three"), "cannot store TEXT value in INTEGER column typed__dbt_staged.value"),
    "keyed": ("", (2, 5), "UNIQUE constraint failed: keyed__dbt_staged.id"),
}


@pytest.fixture(scope="module")
def after_a_bad_row(module_project):
    """Every table built once from good rows, then again with one bad row for it alone."""
    project = module_project
    project.put("models/sources.yml", SOURCES)
    models = ["version: 2\nmodels:\n"]
    for name, (constraints, _, _) in FAULTS.items():
        key = "constraints: [{type: primary_key}]"
        value = ", ".join(filter(None, ["name: value, data_type: bigint", constraints]))
        models.append(contract(name, f"name: id, data_type: integer, {key}", value, materialized="table"))
        project.write(**{name: f"select id, value from {{{{ source('log', 'readings') }}}} where model = '{name}'"})
    project.put("models/models.yml", "".join(models))
    project.script("create table readings (model text, id, value)")
    for name in FAULTS:
        project.script(f"insert into readings values ('{name}', -7, 1), ('{name}', 2, 2)")
    project.build()
    connection = project.connect()
    connection.executemany("insert into readings values (?, ?, ?)", [(n, *row) for n, (_, row, _) in FAULTS.items()])
    connection.close()
    assert not project.dbt("run")
    return project


@pytest.mark.parametrize("name", FAULTS)
def test_a_bad_row_fails_and_the_old_rows_stay(after_a_bad_row, name):
    assert FAULTS[name][2] in after_a_bad_row.messages()[name]
    assert after_a_bad_row.query(f"select id, value from {name} order by id") == [(-7, 1), (2, 2)]
    assert not after_a_bad_row.leftovers()


def test_a_contracted_table_is_strict(after_a_bad_row):
    strict = "select name from pragma_table_list where strict and schema = 'main' order by name"
    assert [name for (name,) in after_a_bad_row.query(strict)] == sorted(FAULTS)


def test_contract_of_names_and_types(project):
    project.put("models/sources.yml", SOURCES)
    columns = ("name: id, data_type: integer", "name: label, data_type: text")
    faults = {
        "lacks_one": ("select id from {source}", "missing in definition"),
        "has_one_more": ("select id, label, id as twin from {source}", "missing in contract"),
        "has_another_type": ("select label as id, label from {source}", "data type mismatch"),
        "does_not_run": ("select id, no_such_column as label from {source}", "no such column: no_such_column"),
        "fits": ("select id + 0 as id, label from {source}", ""),
    }
    names = [f"{name}_{kind}" for name in faults for kind in ("view", "table")]
    models = [contract(name, *columns, materialized=name.rsplit("_", 1)[1]) for name in names]
    project.put("models/models.yml", "version: 2\nmodels:\n" + "".join(models))
    for name in names:
        sql = faults[name.rsplit("_", 1)[0]][0]
        project.write(**{name: sql.format(source="{{ source('log', 'readings') }}")})
    project.script("create table readings (id integer, label text)")
    assert not project.dbt("run")
    messages = project.messages()
    for name in names:
        assert faults[name.rsplit("_", 1)[0]][1] in messages[name]
    built = project.query("select name from sqlite_master where name like 'fits%' or name like 'has%' order by name")
    assert built == [("fits_table",), ("fits_view",)]


def test_tables_in_chunks_with_indexes(project):
    """Keys that are no row numbers, more rows than a chunk, rebuilt with other columns over a view that reads them."""
    project.write(
        keyed="{{ config(materialized='table', indexes=[{'columns': ['label']}, {'columns': ['id', 'label'], "
        "'unique': true}]) }} select column1 as id, column2 as label from (values {% for i in range(35) %}"
        "({{ i * 1000003 - 5000000 }}, 'label {{ i }}'){{ ',' if not loop.last }}{% endfor %})",
        keyed_yml="version: 2\nmodels:\n"
        + contract(
            "keyed",
            "name: id, data_type: integer, constraints: [{type: primary_key}]",
            "name: label, data_type: varchar(20)",
        ),
        untyped="{{ config(materialized='table') }} select id, label as name from {{ ref('keyed') }}",
        reader="select * from {{ ref('untyped') }}",
    )
    project.script("create view broken as select * from no_such_table")
    project.build()
    expected = [(i * 1000003 - 5000000, f"label {i}") for i in range(35)]
    assert project.query("select * from reader order by id") == expected
    project.write(
        untyped="{{ config(materialized='table') }} select id, id as more, label as name from {{ ref('keyed') }}"
    )
    project.build()
    assert project.query("select id, more, name from reader order by id") == [(i, i, n) for i, n in expected]
    indexes = (
        "select group_concat(i.name), \"unique\" from pragma_index_list('keyed') as l, pragma_index_info(l.name) as i"
    )
    assert sorted(project.query(f"{indexes} where origin = 'c' group by l.name")) == [("id,label", 1), ("label", 0)]
    assert not project.leftovers()


def test_a_table_with_a_key_changes_only_the_rows_that_differ(project):
    """By its primary key or a unique index; triggers on the tables count, and a table swapped in has none."""
    project.put("models/sources.yml", SOURCES)
    reading = "select id, value, 'a ' || value as label from {{ source('log', 'readings') }}"
    project.write(
        contracted=reading,
        contracted_yml="version: 2\nmodels:\n"
        + contract(
            "contracted",
            "name: id, data_type: integer, constraints: [{type: primary_key}]",
            "name: value, data_type: integer, constraints: [{type: unique}]",
            "name: label, data_type: text",
            materialized="table",
        ),
        indexed="{{ config(materialized='table', indexes=[{'columns': ['label']}, "
        "{'columns': ['id'], 'unique': true}]) }}" + reading,
    )
    project.script(
        "create table readings (id integer, value integer);"
        "insert into readings values (1, 1), (2, 2), (3, 3), (4, null), (5, 5)"
    )
    project.build()
    project.script("create table events (name, id, deleted)")
    for name in ("contracted", "indexed"):
        for kind, row in (("insert", "new"), ("delete", "old")):
            project.script(
                f"create trigger {name}_{kind} after {kind} on {name} begin"
                f" insert into events values ('{name}', {row}.id, '{kind}' = 'delete'); end"
            )
    version = project.query("pragma schema_version")
    project.build()
    assert project.query("select * from events") == [], "nothing had changed"
    project.script(
        "update readings set value = iif(id = 1, 2, 1) where id < 3; update readings set value = 4 where id = 4;"
        "delete from readings where id = 5; insert into readings values (6, 6)"
    )
    project.build()
    truth = project.query("select id, value, 'a ' || value from readings order by id")
    for name in ("contracted", "indexed"):
        assert project.query(f"select * from {name} order by id") == truth
        changed = project.query("select id, deleted from events where name = ? order by 1, 2", name)
        assert changed == [(1, 0), (1, 1), (2, 0), (2, 1), (4, 0), (4, 1), (5, 1), (6, 0)]
    assert project.query("pragma schema_version") == version

    many = ", ".join(f"({i}, {i})" for i in range(10, 40))
    project.script(f"insert into readings values {many}, (null, 50)")
    assert not project.dbt("run"), "a null in a primary key"
    project.script("update readings set id = 50 where id is null")
    project.build()
    truth = project.query("select id, value, 'a ' || value from readings order by id")
    for name in ("contracted", "indexed"):
        assert project.query(f"select * from {name} order by id") == truth
    assert project.query("pragma schema_version") != version, "so many rows are swapped in, by chunks"
    assert not project.leftovers()
    project.script("insert into readings values (6, 7)")
    assert not project.dbt("run")
    assert project.query("select * from contracted order by id") == truth
    assert project.query("select * from indexed order by id") == truth


def can_write(project):
    connection = project.connect(timeout=0.01)
    try:
        connection.execute("begin immediate")
    except sqlite3.OperationalError:
        return False
    finally:
        connection.close()
    return True


@pytest.mark.parametrize("point", ["delete", "insert"])
def test_killed_while_rows_change(project, point):
    """A trigger on the table takes a minute or more while there is something in `pauses`."""
    project.put("models/sources.yml", SOURCES)
    project.write(kept="{{ config(materialized='table', indexes=[{'columns': ['id'], 'unique': true}]) }}"
                       "select id, value from {{ source('log', 'readings') }}")  # fmt: skip
    project.script("create table readings (id integer, value integer); insert into readings values (1, 1), (2, 2)")
    project.build()
    project.script(f"""
        create table pauses (point);
        create table spun (i);
        create trigger paused after {point} on kept begin
            insert into spun
            with recursive spin(i) as (
                select 1 union all select i + 1 from spin where i < 1000000000 and exists (select 1 from pauses)
            )
            select max(i) from spin;
        end;
        insert into pauses values ('{point}');
        update readings set value = 10 * value;
    """)
    build = project.start("run")
    project.await_log({"delete": "(select existing_row from", "insert": "(select staged_row from"}[point])
    while can_write(project):
        assert build.is_alive()
    project.kill(build)
    assert project.query("select * from kept order by id") == [(1, 1), (2, 2)]
    project.script("delete from pauses")
    project.build()
    assert project.query("select * from kept order by id") == [(1, 10), (2, 20)]
    assert not project.leftovers()


def test_keys_with_nulls_and_changed_indexes_are_no_ground_to_compare(project):
    project.put("models/sources.yml", SOURCES)
    model = "{{{{ config(materialized='table', indexes=[{{'columns': ['id'], 'unique': true}}{more}]) }}}}"
    reading = " select id, value from {{ source('log', 'readings') }}"
    project.write(keyed=model.format(more="") + reading)
    project.script("create table readings (id, value); insert into readings values (null, 1), (null, 1), (2, 2)")
    project.build()
    project.script("insert into readings values (null, 1), (3, 3); update readings set value = 7 where id = 2")
    for _ in range(2):
        project.build()
        assert project.query("select * from keyed order by 1, 2") == [(None, 1)] * 3 + [(2, 7), (3, 3)]
    project.script("delete from readings where id is null")
    project.write(keyed=model.format(more=", {'columns': ['value']}") + reading)
    project.build()
    assert project.query("select count(*) from pragma_index_list('keyed')") == [(2,)]
    project.write(keyed=model.format(more="") + reading + " where id = 2")
    project.build()
    assert project.query("select count(*) from pragma_index_list('keyed')") == [(1,)]
    assert project.query("select * from keyed") == [(2, 7)]


def test_a_file_with_views_opens_under_any_name(project):
    project.put("models/sources.yml", SOURCES)
    project.put(
        "models/versions.yml", "version: 2\nmodels: [{name: current, latest_version: 2, versions: [{v: 1}, {v: 2}]}]"
    )
    project.write(
        first="select id from {{ source('log', 'readings') }}",
        current_v1="select id from {{ ref('first') }}",
        current_v2="select id from {{ ref('fixture', 'first') }}",
        last="select id from {{ ref('current', v=1) }} union all "
        "select id from {{ ref('fixture', 'current', version=2) }}",
    )
    project.script("create table readings (id integer); insert into readings values (5)")
    project.build()
    other = sqlite3.connect(":memory:")
    other.execute("attach ? as elsewhere", (str(project.database),))
    assert other.execute("select * from elsewhere.last").fetchall() == [(5,), (5,)]
    other.close()
    version = project.query("pragma schema_version")
    project.build()
    assert project.query("pragma schema_version") == version, "views that are as they were were made again"
    assert project.dbt("run", "--empty"), project.output()
    assert project.query("select * from last") == []


def test_incremental_rebuilds_what_a_changed_definition_touches(project):
    """Definitions in one table, their matches in another: new rows are added, a changed definition starts over."""
    project.write(
        sources_yml="version: 2\nsources: [{name: log, schema: main, tables: [{name: readings}, {name: ranges}]}]",
        matches="""
            {{ config(
                materialized='incremental',
                unique_key=['range_id', 'reading_id'],
                on_schema_change='fail',
                pre_hook="{% if is_incremental() %}delete from {{ this }} where (range_id, definition) not in (
                    select range_id, low || '-' || high from ranges
                ){% endif %}",
            ) }}
            select range_id, low || '-' || high as definition, id as reading_id
            from {{ source('log', 'ranges') }} as ranges
            inner join {{ source('log', 'readings') }} as readings on readings.value between low and high
            where readings.id > {{ rolled_up_to(
                'reading_id',
                where="rolled_up.range_id = ranges.range_id and rolled_up.definition = low || '-' || high"
            ) }}
        """,
        matches_yml="version: 2\nmodels:\n"
        + contract(
            "matches",
            "name: range_id, data_type: text, constraints: [{type: not_null}]",
            "name: definition, data_type: text",
            "name: reading_id, data_type: integer",
        ),
    )
    project.script(
        "create table readings (id integer primary key, value); create table ranges (range_id text, low, high);"
        "insert into ranges values ('narrow', 2, 3), ('wide', 0, 9);"
        "insert into readings (value) values (1), (2), (3), (7)"
    )
    project.build()
    project.script(
        "create table merges (n);"
        "create trigger counted after insert on matches begin insert into merges values (1); end;"
        "insert into readings (value) values (2), (8);"
        "update ranges set low = 3, high = 8 where range_id = 'narrow'"
    )
    project.build()
    truth = (
        "select range_id, low || '-' || high, id from ranges inner join readings on value between low and high "
        "order by range_id, id"
    )
    assert project.query("select * from matches order by range_id, reading_id") == project.query(truth)
    of_narrow_all_three_and_of_wide_the_two_new = 5
    assert project.query("select count(*) from merges") == [(of_narrow_all_three_and_of_wide_the_two_new,)]

{# Rows are computed without the write lock, and put in place under it.

   sqlite_stage      computes the select into a temporary table
   sqlite_put_in     makes the existing table equal to it: row by row if few rows differ, otherwise by a swap
   sqlite_compare    finds the rows that differ
   sqlite_swap_in    fills a new table in chunks and gives it the name of the old one #}


{# All slow work happens here, in a temporary table. Writers of the file do not wait for it, and a row that breaks the
   contract fails before anything is changed. Leaves a read transaction open, so that later reads before the write lock
   see the same state. Returns the temporary table. Its rowids run from 1; an integer primary key would be the rowid
   itself, so it is a unique constraint here. #}
{% macro sqlite_stage(sql) %}
    {# A table is built from rollups, which fit into memory; a query over the whole log may not fit. #}
    {% if config.get('materialized') == 'table' %}
        {% do run_query('pragma temp_store = memory') %}
    {% endif %}
    {% set staged = make_temp_relation(this, '__dbt_staged').incorporate(type='table') %}
    {% set name = adapter.quote(staged.identifier) %}
    {% set definition = sqlite_table_definition() %}
    {% do sqlite_assert_contract(sql) %}
    {# In KiB. With it, sorts and comparisons of large tables read each page once. #}
    {% do run_query('pragma cache_size = -65536') %}
    {% do run_query('pragma temp.cache_size = -65536') %}
    {% if definition is none %}
        {% call statement('main') %}create temporary table {{ name }} as {{ sql }}{% endcall %}
    {% else %}
        {% set definition = definition | replace('primary key (', 'unique (') %}
        {% call statement() %}create temporary table {{ name }} {{ definition }}{% endcall %}
        {% set columns = sqlite_column_list(staged) %}
        {% call statement('main') %}
            insert into {{ staged }} ({{ columns }})
            select {{ columns }} from (
                {{ sql }}
            )
        {% endcall %}
    {% endif %}
    {% do return(staged) %}
{% endmacro %}


{# Makes the existing table equal to the staged rows. If few rows differ, only these change, in one short transaction:
   no writer waits long, no connection reads the schema again, and a build writes only what is new. Otherwise the tables
   are swapped. Leaves the transaction open for the caller's hooks. #}
{% macro sqlite_put_in(staged) %}
    {% set compared = none if should_full_refresh() else sqlite_compare(staged) %}
    {% if compared is none or compared.count > var('sqlite_chunk_rows', 2000) | int %}
        {% do sqlite_swap_in(staged) %}
    {% elif compared.count or pre_hooks %}
        {% set columns = sqlite_column_list(staged) %}
        {% do sqlite_take_write_lock(writes_next=not pre_hooks) %}
        {% do run_hooks(pre_hooks, inside_transaction=true) %}
        {% if compared.replaced %}
            {% do run_query('delete from ' ~ this ~ ' where rowid in (select existing_row from ' ~ compared.rows ~ ')') %}
        {% endif %}
        {% do run_query(
            'insert into ' ~ this ~ ' (' ~ columns ~ ') select ' ~ columns ~ ' from ' ~ staged
            ~ ' where rowid in (select staged_row from ' ~ compared.rows ~ ')'
        ) %}
    {% endif %}
{% endmacro %}


{# The changes that make the existing table equal to the staged rows: `rows`, a temporary table with a row for each key
   that is new, different or gone, and the rowids on both sides; `count`, its number of rows; `replaced`, how many of
   them exist already. None if the two cannot be compared: there is no key, the key has nulls, the existing object is
   not a table, or it has other columns. All slow reading happens here, before the write lock is taken. #}
{% macro sqlite_compare(staged) %}
    {% set key, existing = sqlite_key(), load_relation(this) %}
    {% if not key or existing is none or not existing.is_table or not sqlite_is_as_defined(this) %}
        {% do return(none) %}
    {% endif %}
    {% set columns = sqlite_columns(staged) | map(attribute='name') | list %}
    {% if sqlite_columns(this) | map(attribute='name') | list != columns %}
        {% do return(none) %}
    {% endif %}
    {% if not config.get('contract').enforced %}
        {% do run_query(
            'create unique index temp.' ~ adapter.quote(staged.identifier ~ '_key')
            ~ ' on ' ~ adapter.quote(staged.identifier) ~ ' (' ~ key | join(', ') ~ ')'
        ) %}
    {% endif %}
    {% set compared = make_temp_relation(this, '__dbt_compared') %}
    {% do run_query(sqlite_comparison(staged, compared, key, columns)) %}
    {% set count, replaced, has_null_key = run_query(
        'select count(*), count(existing_row), exists (select 1 from ' ~ staged
        ~ ' where ' ~ key | join(' is null or ') ~ ' is null) from ' ~ compared
    ).rows[0] %}
    {% do return(none if has_null_key else {'rows': compared, 'count': count | int, 'replaced': replaced | int}) %}
{% endmacro %}


{# The statement that creates the temporary table of sqlite_compare. #}
{% macro sqlite_comparison(staged, compared, key, columns) %}
    {% set matches = [] %}
    {% for name in key %}
        {% do matches.append('staged.' ~ adapter.quote(name) ~ ' = existing.' ~ adapter.quote(name)) %}
    {% endfor %}
    create temporary table {{ adapter.quote(compared.identifier) }} as
    select staged.rowid as staged_row, existing.rowid as existing_row
    from {{ staged }} as staged
    left join {{ this }} as existing on {{ matches | join(' and ') }}
    where existing.rowid is null
    {%- for name in columns if name not in key %}
        or staged.{{ adapter.quote(name) }} is not existing.{{ adapter.quote(name) }}
    {%- endfor %}
    union all
    select null as staged_row, existing.rowid as existing_row
    from {{ this }} as existing
    where not exists (select 1 from {{ staged }} as staged where {{ matches | join(' and ') }})
{% endmacro %}


{# The columns that identify a row: the primary key, or else the first unique index; none if the table has neither. #}
{% macro sqlite_key() %}
    {% set keys = [] %}
    {% if config.get('contract').enforced %}
        {% do keys.extend(model.constraints | selectattr('type', 'equalto', 'primary_key') | map(attribute='columns')) %}
        {% for column in model.columns.values() %}
            {% for constraint in column.constraints if constraint.type == 'primary_key' %}
                {% do keys.append([column.name]) %}
            {% endfor %}
        {% endfor %}
    {% endif %}
    {% do keys.extend(config.get('indexes', []) | selectattr('unique', 'true') | map(attribute='columns')) %}
    {% do return(keys[0] if keys else none) %}
{% endmacro %}


{# Puts the staged rows in the place of the existing table or view. They are inserted in chunks under another name, so
   that no writer waits long. The last chunk and the change of name are one transaction, left open for the caller's
   hooks. If a build is killed on the way, the table under the other name remains; the next build of this dbt model
   drops it. #}
{% macro sqlite_swap_in(staged) %}
    {% set fresh = make_intermediate_relation(this, '__dbt_new') %}
    {% set existing = load_relation(this) %}
    {% set definition = sqlite_table_definition() or 'as select * from ' ~ staged ~ ' where false' %}
    {% set columns = sqlite_column_list(staged) %}
    {% set chunk_rows = var('sqlite_chunk_rows', 2000) | int %}
    {% set last_row = run_query('select coalesce(max(rowid), 0) from ' ~ staged).rows[0][0] | int %}
    {# Without it, the change of name would fail if any view in the file reads a table that is missing or is being
       changed. #}
    {% do run_query('pragma legacy_alter_table = on') %}
    {# Without it, SQLite would overwrite the old table with zeros, under the lock, before it drops it. #}
    {% do run_query('pragma secure_delete = fast') %}
    {% for start in range(0, [last_row, 1] | max, chunk_rows) %}
        {% do sqlite_take_write_lock() %}
        {% if loop.first %}
            {% do run_query('drop table if exists ' ~ fresh) %}
            {% do run_query('create table ' ~ fresh ~ ' ' ~ definition) %}
            {% do create_indexes(fresh) %}
        {% endif %}
        {% call statement() %}
            insert into {{ fresh }} ({{ columns }})
            select {{ columns }} from {{ staged }}
            where rowid > {{ start }} and rowid <= {{ start + chunk_rows }}
        {% endcall %}
        {% if not loop.last %}
            {% do adapter.commit() %}
            {% do sqlite_let_writers_in() %}
        {% endif %}
    {% endfor %}
    {% do run_hooks(pre_hooks, inside_transaction=true) %}
    {% if existing is not none %}
        {% do adapter.drop_relation(existing) %}
    {% endif %}
    {% do run_query('alter table ' ~ fresh ~ ' rename to ' ~ adapter.quote(this.identifier)) %}
{% endmacro %}


{# The columns of a table or view, rows with name and type. adapter.get_columns_in_relation returns the same, but takes
   dbt three times as long. A select from pragma_table_info would begin to read the file, and a later wait for the write
   lock would then fail. #}
{% macro sqlite_columns(relation) %}
    {% do return(run_query('pragma ' ~ relation.schema ~ '.table_info(' ~ adapter.quote(relation.identifier) ~ ')').rows) %}
{% endmacro %}


{# The quoted columns of a table, separated by commas. #}
{% macro sqlite_column_list(relation) %}
    {% set quoted = [] %}
    {% for column in sqlite_columns(relation) %}
        {% do quoted.append(adapter.quote(column.name)) %}
    {% endfor %}
    {% do return(quoted | join(', ')) %}
{% endmacro %}

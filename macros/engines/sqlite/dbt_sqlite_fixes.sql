{# Macros of dbt-sqlite 1.10 and of dbt that do not fit here, each with the reason. #}


{# dbt-sqlite drops outside of the transaction, with `auto_begin=False`: readers then miss the table until the new one
   exists, and for good if the build fails.
   https://github.com/codeforkjeff/dbt-sqlite/blob/e6bc99fb954da8d51cb09808551471c07724e229/dbt/include/sqlite/macros/adapters.sql #}
{% macro sqlite__drop_relation(relation) %}
    {% do sqlite_set_busy_timeout() %}
    {% do run_query('drop ' ~ relation.type ~ ' if exists ' ~ relation) %}
{% endmacro %}


{# The tables that dbt builds by itself, for unit tests and stored test failures. dbt-sqlite holds the write lock while
   the query runs; here it runs before the lock is taken, as in sqlite_stage. #}
{% macro sqlite__create_table_as(temporary, relation, sql) -%}
    {%- do sqlite_set_busy_timeout() -%}
    {%- if temporary -%}
        create temporary table {{ adapter.quote(relation.identifier) }} as {{ sql }}
    {%- else -%}
        {%- set staged = make_temp_relation(relation, '__dbt_staged') -%}
        {%- do run_query('create temporary table ' ~ adapter.quote(staged.identifier) ~ ' as ' ~ sql) -%}
        create table {{ relation }} as select * from {{ staged }}
    {%- endif -%}
{%- endmacro %}


{# One entry of the config `indexes`: `columns`, a list, and `unique`, default false. dbt-sqlite has no such macro.
   Each build needs an index name of its own: while a table is rebuilt, the old indexes exist beside the new ones. #}
{% macro sqlite__get_create_index_sql(relation, index_dict) %}
    {% set name = ([this.identifier] + index_dict['columns'] + [invocation_id[:8]]) | join('__') %}
    {% do return(
        'create ' ~ ('unique ' if index_dict.get('unique')) ~ 'index ' ~ adapter.quote(name)
        ~ ' on ' ~ adapter.quote(relation.identifier) ~ ' (' ~ index_dict['columns'] | join(', ') ~ ')'
    ) %}
{% endmacro %}


{# Seeds. dbt writes a seed again at each build, and needs a full refresh if its columns change. Here a seed follows its
   file and its column_types by itself. If something changed, it gets a new table within the transaction that fills it,
   so that no reader misses it. Otherwise the existing table stays. #}
{% macro sqlite__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
    {% set definition, stored = sqlite_seed_definition(model, agate_table), sqlite_stored_sql(this) %}
    {% set count = run_query('select count(*) from ' ~ this).rows[0][0] | int %}
    {% set is_as_it_was = stored[stored.find('('):] | trim == definition and count == agate_table.rows | length %}
    {% if full_refresh or not is_as_it_was or model.checksum.name != 'sha256' %}
        {% do sqlite_take_write_lock() %}
        {% do adapter.drop_relation(old_relation) %}
        {% do run_query('create table ' ~ this ~ ' ' ~ definition) %}
    {% endif %}
    {% do return('select 1') %}
{% endmacro %}

{% macro sqlite__create_csv_table(model, agate_table) %}
    {% do sqlite_take_write_lock() %}
    {% do run_query('create table ' ~ this ~ ' ' ~ sqlite_seed_definition(model, agate_table)) %}
    {% do return('select 1') %}
{% endmacro %}

{# A table that was just created has no rows; an existing one has them all. dbt needs a transaction to commit. #}
{% macro sqlite__load_csv_rows(model, agate_table) %}
    {% set count = run_query('select count(*) from ' ~ this).rows[0][0] | int %}
    {% if count == agate_table.rows | length %}
        {% call statement() %}select 1{% endcall %}
        {% do return('select 1') %}
    {% endif %}
    {% do return(dbt.sqlite__load_csv_rows(model, agate_table)) %}
{% endmacro %}

{# The definition after `create table x` for a seed. It includes the digest of the file, so that the statement stored by
   SQLite shows if the file has changed. #}
{% macro sqlite_seed_definition(model, agate_table) %}
    {% set types = model.config.get('column_types', {}) %}
    {% set lines = [] %}
    {% for name in agate_table.column_names %}
        {% set type = types.get(name, adapter.convert_type(agate_table, loop.index0)) %}
        {% do lines.append(adapter.quote_seed_column(name, model.config.get('quote_columns')) ~ ' ' ~ type) %}
    {% endfor %}
    {% do return('(\n    ' ~ lines | join(',\n    ') ~ '\n    /* ' ~ model.checksum.checksum ~ ' */\n)') %}
{% endmacro %}


{# Unit tests cast each value to the type that SQLite reports for its column. It reports none for a computed column, and
   a cast to the name UNKNOWN would turn '2024-12-31' into 2024. #}
{% macro sqlite__safe_cast(field, type) -%}
    {%- if type | upper in ('INT', 'INTEGER', 'REAL', 'TEXT') -%}
        cast({{ field }} as {{ type }})
    {%- else -%}
        {{ field }}
    {%- endif -%}
{%- endmacro %}


{# dbt-sqlite's datetime() has no milliseconds.
   https://github.com/codeforkjeff/dbt-sqlite/blob/2a5f0f032a970bac574ccef20070258f17096278/dbt/include/sqlite/macros/utils/timestamps.sql #}
{% macro sqlite__current_timestamp() -%}
    strftime('%Y-%m-%d %H:%M:%f', 'now')
{%- endmacro %}


{# The newest plausible time of a source. dbt takes the greatest, but a row dated more than a day ahead would hide that
   no outcomes come in any more. The query starts at the top of the column's index, if there is one, and looks at the
   two days around that row, because rows with other offsets may be later. #}
{% macro sqlite__collect_freshness(source, loaded_at_field, filter) %}
    {% set is_believable = utc_timestamp(loaded_at_field) ~ " <= strftime('%Y-%m-%d %H:%M:%f', 'now', '+1 day')" %}
    {% set loaded_at_query %}
        select max({{ utc_timestamp(loaded_at_field) }})
        from {{ source }}
        where {{ is_believable }}
            and {{ filter or 'true' }}
            and {{ loaded_at_field }} >= (
                select date(substr({{ loaded_at_field }}, 1, 10), '-2 days')
                from {{ source }}
                where {{ is_believable }} and {{ filter or 'true' }}
                order by {{ loaded_at_field }} desc
                limit 1
            )
    {% endset %}
    {% do return(collect_freshness_custom_sql(source, loaded_at_query)) %}
{% endmacro %}

{# dbt needs real datetimes for the age of a source, and SQLite returns text. #}
{% macro sqlite__collect_freshness_custom_sql(source, loaded_at_query) %}
    {% call statement('collect_freshness', fetch_result=true, auto_begin=false) %}
        select {{ utc_timestamp('(' ~ loaded_at_query ~ ')') }}, {{ current_timestamp() }}
    {% endcall %}
    {% set result = load_result('collect_freshness') %}
    {% set moments = [] %}
    {% for text in result.data[0] %}
        {% do moments.append(modules.datetime.datetime.fromisoformat(text | string) if text else none) %}
    {% endfor %}
    {% do return(namespace(response=result.response, table=[moments])) %}
{% endmacro %}


{# dbt asks this before it clones. Its other way, a view of the other schema, would be a view of itself. #}
{% macro sqlite__can_clone_table() %}
    {% do exceptions.raise_compiler_error(
        'dbt clone cannot work on SQLite, where a file has one schema: copy the file with `loader backup NEW_FILE`'
    ) %}
{% endmacro %}

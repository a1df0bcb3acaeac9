{# The materializations of DuckDB and PostgreSQL, engines with real transactions: staging, replacement and hooks are one
   transaction, and readers see either the old rows or the new ones. Where the two differ, the default is what DuckDB
   needs, and postgres.sql has the other. #}


{# A table with the rows of its select, with types and constraints from its contract. #}
{% macro build_table() %}
    {% do run_hooks(pre_hooks, inside_transaction=false) %}
    {% set staged = stage(sql) %}
    {% do run_hooks(pre_hooks, inside_transaction=true) %}
    {% do put_in_place(staged) %}
    {% do return(finish()) %}
{% endmacro %}


{# A view with the columns and types of its contract. #}
{% macro build_view() %}
    {% set existing = load_relation(this) %}
    {% set contracted = as_contracted(sql) %}
    {% do run_hooks(pre_hooks, inside_transaction=false) %}
    {% do run_hooks(pre_hooks, inside_transaction=true) %}
    {% if existing is not none and (not existing.is_view or not replaces_view(existing, contracted)) %}
        {% do adapter.drop_relation(existing) %}
    {% endif %}
    {% call statement('main') %}
        create or replace view {{ this }} as
        {{ contracted }}
    {% endcall %}
    {% do return(finish('view')) %}
{% endmacro %}


{# dbt's incremental, as on SQLite: a row whose unique_key comes again is replaced, all others are added. A pre_hook in
   the transaction may delete rows that are no longer valid: it runs after the select and before its rows are
   inserted. #}
{% macro build_incremental() %}
    {% set adds = is_incremental() %}
    {% set keys = config.get('unique_key', []) %}
    {% set key = ([keys] if keys is string else keys) | join(', ') %}
    {% do run_hooks(pre_hooks, inside_transaction=false) %}
    {% do hold_for_build(adds) %}
    {% set staged = stage(sql) %}
    {% do run_hooks(pre_hooks, inside_transaction=true) %}
    {% if adds %}
        {% if key %}
            {% do run_query('delete from ' ~ this ~ ' where (' ~ key ~ ') in (select ' ~ key ~ ' from ' ~ staged ~ ')') %}
        {% endif %}
        {% do run_query('insert into ' ~ this ~ ' select * from ' ~ staged) %}
    {% else %}
        {% do put_in_place(staged) %}
    {% endif %}
    {% do return(finish()) %}
{% endmacro %}


{# A rollup that grows by the new rows, as on SQLite. The table is locked from the start, so no other build can change
   it between reading the watermark and the merge. #}
{% macro build_additive() %}
    {% do assert_additive() %}
    {% set adds = is_incremental() %}
    {% do run_hooks(pre_hooks, inside_transaction=false) %}
    {% do hold_for_build(adds) %}
    {% set staged = stage(sql) %}
    {% do run_hooks(pre_hooks, inside_transaction=true) %}
    {% if adds %}
        {% set columns = adapter.get_columns_in_relation(this) | map(attribute='quoted') | join(', ') %}
        {% do run_query(additive_merge(staged, columns)) %}
    {% else %}
        {% do put_in_place(staged) %}
    {% endif %}
    {% do return(finish()) %}
{% endmacro %}


{# Begins the transaction and locks the existing table against other builds, but not against readers, until it ends. #}
{% macro hold_for_build(adds) %}
    {% do adapter.dispatch('hold_for_build')(adds) %}
{% endmacro %}

{# Only one process at a time can open a DuckDB file, so there is nothing to lock. #}
{% macro default__hold_for_build(adds) %}
    {% call statement() %}select 1{% endcall %}
{% endmacro %}


{# Writes the rows of a build to a temporary table, within the transaction that publishes them; returns that table. #}
{% macro stage(sql) %}
    {% set staged = api.Relation.create(identifier=this.identifier ~ '__dbt_staged', type='table') %}
    {% call statement() %}drop table if exists {{ staged }}{% endcall %}
    {% call statement('main') %}
        create temporary table {{ staged }} as
        {{ as_contracted(sql) }}
    {% endcall %}
    {% do return(staged) %}
{% endmacro %}


{# Makes the dbt model's table equal to the staged rows; leaves the transaction open. #}
{% macro put_in_place(staged) %}
    {% set existing = load_relation(this) %}
    {% if existing is not none and existing.is_table and not should_full_refresh() and refills_tables()
        and column_types(existing) == column_types(staged) %}
        {% do run_query('delete from ' ~ this) %}
        {% do run_query('insert into ' ~ this ~ ' select * from ' ~ staged) %}
    {% else %}
        {% if existing is not none %}
            {% do adapter.drop_relation(existing) %}
        {% endif %}
        {% do run_query('create table ' ~ this ~ ' ' ~ (table_definition() or 'as select * from ' ~ staged ~ ' limit 0')) %}
        {% do run_query('insert into ' ~ this ~ ' select * from ' ~ staged) %}
        {% do create_indexes(this) %}
    {% endif %}
{% endmacro %}


{# True if an existing table is emptied and filled again, false if it is recreated. #}
{% macro refills_tables() %}
    {% do return(adapter.dispatch('refills_tables')()) %}
{% endmacro %}

{# DuckDB refuses a key that was deleted in the same transaction. #}
{% macro default__refills_tables() %}
    {% do return(false) %}
{% endmacro %}


{# True if `create or replace view` accepts the select for the existing view. #}
{% macro replaces_view(existing, sql) %}
    {% do return(adapter.dispatch('replaces_view')(existing, sql)) %}
{% endmacro %}

{% macro default__replaces_view(existing, sql) %}
    {% do return(true) %}
{% endmacro %}


{# The columns of a table or view, each with name and type. #}
{% macro column_types(relation) %}
    {% set types = [] %}
    {% for column in adapter.get_columns_in_relation(relation) %}
        {% do types.append(column.name ~ ' ' ~ column.data_type) %}
    {% endfor %}
    {% do return(types) %}
{% endmacro %}


{# The end of every materialization: hooks, commit, hooks, and the value that dbt expects. #}
{% macro finish(type='table') %}
    {% do run_hooks(post_hooks, inside_transaction=true) %}
    {% do adapter.commit() %}
    {% do run_hooks(post_hooks, inside_transaction=false) %}
    {% do return({'relations': [this.incorporate(type=type)]}) %}
{% endmacro %}

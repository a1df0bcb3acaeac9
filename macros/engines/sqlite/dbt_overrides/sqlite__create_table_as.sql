{# For tables that dbt builds by itself, such as stored test failures. As in sqlite_stage, the query runs before the
   lock is taken. #}
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

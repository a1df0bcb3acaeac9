{# True if an outcome came after the one with the id that a query returns. The query names whole tables, because an
   engine may run it earlier. #}
{% macro is_newer(than) -%}
    {{ adapter.dispatch('is_newer')(than) }}
{%- endmacro %}

{% macro default__is_newer(than) -%}
    outcome_id > {{ than }}
{%- endmacro %}

{# For one lower bound that it does not know yet, PostgreSQL expects a third of the log above it and reads the whole
   log. For two bounds it expects few rows and uses the index. So the upper bound is the greatest bigint, wrapped,
   because PostgreSQL would recognise the plain number. #}
{% macro postgres__is_newer(than) -%}
    outcome_id > {{ than }} and outcome_id <= (select 9223372036854775807)
{%- endmacro %}

{# If DuckDB and Spark know the number before they read, they skip the parts of the Parquet files that hold no greater
   id. The number cannot become wrong: there is only one build at a time, and the dbt models that use it are tables. A
   unit test has no table to query. #}
{% macro duckdb__is_newer(than) -%}
    {%- if execute and flags.WHICH in ('build', 'run') and this is not none and this is not string -%}
        {%- set id = run_query('select ' ~ than).columns[0][0] -%}
        outcome_id > {{ 'null' if id is none else id }}
    {%- else -%}
        outcome_id > {{ than }}
    {%- endif -%}
{%- endmacro %}

{% macro spark__is_newer(than) -%}
    {{ duckdb__is_newer(than) }}
{%- endmacro %}

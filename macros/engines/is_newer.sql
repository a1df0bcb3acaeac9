{# Whether an outcome came after the one whose id a query finds. The query names whole tables, since an engine may ask it
   before. #}
{% macro is_newer(than) -%}
    {{ adapter.dispatch('is_newer')(than) }}
{%- endmacro %}

{% macro default__is_newer(than) -%}
    outcome_id > {{ than }}
{%- endmacro %}

{# PostgreSQL expects a third of the log above a number that it has yet to find, and reads all of it; between two of them
   it expects few, and takes the index. The other one is the greatest bigint, which it would see through if it stood bare. #}
{% macro postgres__is_newer(than) -%}
    outcome_id > {{ than }} and outcome_id <= (select 9223372036854775807)
{%- endmacro %}

{# DuckDB and Spark read only those parts of the Parquet files that may hold a greater id, if they know the number
   beforehand. It stays true: nobody else builds there, and what is read by it are tables. A unit test has none to ask. #}
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

{# The names of tables and views in SQL, and the sources. #}


{# dbt's own ref() and source(), in every form. Only the way the result is written in SQL differs. #}
{% macro ref() %}
    {% do return(relation_in_sql(builtins.ref(*varargs, **kwargs))) %}
{% endmacro %}

{% macro source() %}
    {% do return(relation_in_sql(builtins.source(*varargs, **kwargs))) %}
{% endmacro %}


{# A relation as a statement stored in the database should write it. #}
{% macro relation_in_sql(relation) %}
    {% do return(adapter.dispatch('relation_in_sql')(relation)) %}
{% endmacro %}

{% macro default__relation_in_sql(relation) %}
    {% do return(relation) %}
{% endmacro %}

{# A view that says `main.` cannot be read if its file is attached under another name. #}
{% macro sqlite__relation_in_sql(relation) %}
    {% do return(relation.include(database=false, schema=false)) %}
{% endmacro %}

{# The database is named after its file, which may be renamed. #}
{% macro duckdb__relation_in_sql(relation) %}
    {% do return(relation.include(database=false)) %}
{% endmacro %}


{# The schema of the target for everything, stored test failures too: on SQLite a second schema is a second file. A
   config `schema` is ignored. #}
{% macro generate_schema_name(custom_schema_name=none, node=none) -%}
    {{ target.schema }}
{%- endmacro %}


{# `dbt run-operation read_log_in_place --target duckdb` makes the sources read the Parquet files that `loader
   export-log` wrote to OUTCOMES_PARQUET. #}
{% macro read_log_in_place() %}
    {% do adapter.dispatch('read_log_in_place')() %}
{% endmacro %}

{% macro default__read_log_in_place() %}
    {% do exceptions.raise_compiler_error('the target ' ~ target.name ~ ' does not read Parquet files in place') %}
{% endmacro %}

{% macro duckdb__read_log_in_place() %}
    {% set folder = env_var('OUTCOMES_PARQUET') | replace("'", "''") %}
    {% for source in graph.sources.values() %}
        {% do run_query(
            'create or replace view ' ~ source.schema ~ '.' ~ source.identifier
            ~ " as select * from read_parquet('" ~ folder ~ '/' ~ source.identifier ~ "/**/*.parquet')"
        ) %}
    {% endfor %}
{% endmacro %}

{% macro spark__read_log_in_place() %}
    {% set folder = env_var('OUTCOMES_PARQUET') | replace('`', '``') %}
    {% do run_query('create schema if not exists ' ~ target.schema) %}
    {% for source in graph.sources.values() %}
        {% do run_query(
            'create or replace view ' ~ source.schema ~ '.' ~ source.identifier
            ~ ' as select * from parquet.`' ~ folder ~ '/' ~ source.identifier ~ '`'
        ) %}
    {% endfor %}
{% endmacro %}

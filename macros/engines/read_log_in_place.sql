{# `dbt run-operation read_log_in_place`: makes the sources read the Parquet files that `loader export-log` wrote. #}
{% macro read_log_in_place() %}
    {% do adapter.dispatch('read_log_in_place')() %}
{% endmacro %}

{% macro default__read_log_in_place() %}
    {% do exceptions.raise_compiler_error('the target ' ~ target.name ~ ' does not read Parquet files in place') %}
{% endmacro %}

{% macro duckdb__read_log_in_place() %}
    {% set folder = env_var('OUTCOMES_PARQUET') | replace("'", "''") %}
    {% do run_query('create schema if not exists ' ~ target.schema) %}
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

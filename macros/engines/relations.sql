{# The names of tables and views in SQL, and the sources. #}


{# dbt's own ref() and source(), in every form. Only the way the result is written in SQL differs. #}
{% macro ref() %}
    {% do return(relation_in_sql(builtins.ref(*varargs, **kwargs))) %}
{% endmacro %}

{% macro source() %}
    {% do return(relation_in_sql(builtins.source(*varargs, **kwargs))) %}
{% endmacro %}


{# A relation as a statement stored in the database should write it. With `--empty`, dbt gives each relation an alias
   of its own, which the alias in the SQL would follow. #}
{% macro relation_in_sql(relation) %}
    {% do return(adapter.dispatch('relation_in_sql')(relation.replace(require_alias=false))) %}
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


{# Stops a dbt command on a database without a log. Otherwise dbt would write its seeds into a new file, and
   `loader init` then takes that file for another program's. #}
{% macro expect_log() %}
    {% if execute %}
        {% for source in graph.sources.values() if source.source_name == 'model_outcomes' %}
            {% if not adapter.get_relation(source.database, source.schema, source.identifier) %}
                {% do exceptions.raise_compiler_error(adapter.dispatch('no_log_message')(source.identifier)) %}
            {% endif %}
        {% endfor %}
    {% endif %}
{% endmacro %}

{% macro default__no_log_message(name) %}
    {% do return('there is no table ' ~ name ~ ': run `loader export-log`, then `loader build --target ' ~ target.name ~ '`') %}
{% endmacro %}

{% macro sqlite__no_log_message(name) %}
    {% do return(
        'there is no table ' ~ name ~ ' in ' ~ target.schemas_and_paths.main
        ~ ': run `loader init`, or name the file of a log in OUTCOMES_DB'
    ) %}
{% endmacro %}


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

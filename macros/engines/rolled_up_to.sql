{# A subquery where others build too: a number would be fixed before the build knows what was merged meanwhile. In a unit
   test `this` is none, or the name of the rows given as `input: this`, and the dbt model's config is out of reach. #}
{% macro rolled_up_to(column=none, where=none) -%}
    {%- set watermark = column or config.get('watermark') -%}
    {%- if this is none or (this is not string and not is_incremental()) -%}
        0
    {%- elif not watermark -%}
        {%- do exceptions.raise_compiler_error('rolled_up_to() needs the name of the watermark column here') -%}
    {%- else -%}
        {%- set greatest -%}
            (
                select coalesce(max(rolled_up.{{ watermark }}), 0)
                from {{ this if this is string else relation_in_sql(this) }} as rolled_up
                {%- if where %}
                where {{ where }}
                {%- endif %}
            )
        {%- endset -%}
        {{- greatest if this is string or where else adapter.dispatch('watermark')(greatest) -}}
    {%- endif -%}
{%- endmacro %}

{% macro default__watermark(greatest) %}
    {{- greatest -}}
{% endmacro %}

{# A number after all: no other build is at work on the file, and with a number DuckDB reads only those parts of the
   Parquet files that may hold a greater id. #}
{% macro duckdb__watermark(greatest) %}
    {{- run_query('select ' ~ greatest).columns[0][0] if execute else 0 -}}
{% endmacro %}

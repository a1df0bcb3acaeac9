{# It is a subquery, because a number would be fixed too early: another build may merge rows before this one does. In a
   unit test `this` is null (none) or the name of the rows given as `input: this`, and the config of the dbt model is
   not available. #}
{% macro rolled_up_to(column=none, where=none) -%}
    {%- set watermark = column or config.get('watermark') -%}
    {%- if this is none or (this is not string and not is_incremental()) -%}
        0
    {%- elif not watermark -%}
        {%- do exceptions.raise_compiler_error('rolled_up_to() needs the name of the watermark column here') -%}
    {%- else -%}
        (
            select coalesce(max(rolled_up.{{ watermark }}), 0)
            from {{ this if this is string else relation_in_sql(this) }} as rolled_up
            {%- if where %}
            where {{ where }}
            {%- endif %}
        )
    {%- endif -%}
{%- endmacro %}

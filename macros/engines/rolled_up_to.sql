{# A subquery, not a number: a number would be fixed before the build knows what was merged meanwhile.
   In a unit test `this` is none, or the name of the rows given as `input: this`. #}
{% macro rolled_up_to(column=none, where=none) -%}
    {%- if this is none or (this is not string and not is_incremental()) -%}
        0
    {%- else -%}
        (
            select coalesce(max(rolled_up.{{ column or config.get('watermark', 'last_id') }}), 0)
            from {{ this if this is string else relation_in_sql(this) }} as rolled_up
            {%- if where %}
            where {{ where }}
            {%- endif %}
        )
    {%- endif -%}
{%- endmacro %}

{% macro sqlite__current_timestamp() -%}
    strftime('%Y-%m-%d %H:%M:%f', 'now')
{%- endmacro %}

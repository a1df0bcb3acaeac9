{#- Null where there is no error to measure by. -#}
{% macro squared_z(difference, squared_error) -%}
    ({{ double(difference) }} * {{ double(difference) }} / nullif({{ double(squared_error) }}, 0))
{%- endmacro %}

{#- Null if there is no error to divide by. -#}
{% macro squared_z(difference, squared_error) -%}
    ({{ double(difference) }} * {{ double(difference) }} / nullif({{ double(squared_error) }}, 0))
{%- endmacro %}

{# Unit tests cast to the type that SQLite reports. It reports none for a computed column, and a cast to that name would
   turn '2024-12-31' into 2024. #}
{% macro sqlite__safe_cast(field, type) -%}
    {%- if type | upper in ('INT', 'INTEGER', 'REAL', 'TEXT') -%}
        cast({{ field }} as {{ type }})
    {%- else -%}
        {{ field }}
    {%- endif -%}
{%- endmacro %}

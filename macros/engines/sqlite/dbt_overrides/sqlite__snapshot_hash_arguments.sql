{# The values themselves, written as SQL literals: SQLite has no md5, and literals cannot collide. #}
{% macro sqlite__snapshot_hash_arguments(args) -%}
    {%- for arg in args -%}
        quote({{ arg }}){{ " || '|' || " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

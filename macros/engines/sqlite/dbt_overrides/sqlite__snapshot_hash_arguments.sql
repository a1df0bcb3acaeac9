{# The values themselves, spelled as SQL literals: SQLite has no md5, and nothing collides. #}
{% macro sqlite__snapshot_hash_arguments(args) -%}
    {%- for arg in args -%}
        quote({{ arg }}){{ " || '|' || " if not loop.last }}
    {%- endfor -%}
{%- endmacro %}

{# One schema for everything, stored test failures too: on SQLite a second schema is a second file. #}
{% macro generate_schema_name(custom_schema_name=none, node=none) -%}
    {{ target.schema }}
{%- endmacro %}

{# One schema for everything, stored test failures included: on SQLite another schema is another file. #}
{% macro generate_schema_name(custom_schema_name=none, node=none) -%}
    {{ target.schema }}
{%- endmacro %}

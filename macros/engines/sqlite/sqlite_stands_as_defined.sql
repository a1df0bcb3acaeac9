{% macro sqlite_stands_as_defined(relation) %}
    {% set definition = sqlite_table_definition() %}
    {% set stored = sqlite_stored_sql(relation) or '' %}
    {% do return(definition is none or stored[stored.find('('):] | trim == definition) %}
{% endmacro %}

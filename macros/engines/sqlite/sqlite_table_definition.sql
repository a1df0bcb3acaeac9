{# SQLite keeps this text, which is how a changed contract is found (sqlite_stands_as_defined). #}
{% macro sqlite_table_definition() %}
    {% set definition = table_definition() %}
    {% do return(definition ~ ' strict' if definition else none) %}
{% endmacro %}

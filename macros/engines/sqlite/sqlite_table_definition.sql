{# SQLite stores this text; sqlite_stands_as_defined compares it to detect a changed contract. #}
{% macro sqlite_table_definition() %}
    {% set definition = table_definition() %}
    {% do return(definition ~ ' strict' if definition else none) %}
{% endmacro %}

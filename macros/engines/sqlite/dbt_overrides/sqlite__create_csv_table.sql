{% macro sqlite__create_csv_table(model, agate_table) %}
    {% do sqlite_take_write_lock() %}
    {{ return(default__create_csv_table(model, agate_table)) }}
{% endmacro %}

{# Always a new table, within the transaction that fills it: a seed follows its file and its column_types without a
   full refresh, and no reader meets a file without it. #}
{% macro sqlite__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
    {% do sqlite_take_write_lock() %}
    {% do adapter.drop_relation(old_relation) %}
    {{ return(default__create_csv_table(model, agate_table)) }}
{% endmacro %}

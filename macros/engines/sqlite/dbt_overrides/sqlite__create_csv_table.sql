{% macro sqlite__create_csv_table(model, agate_table) %}
    {% do sqlite_take_write_lock() %}
    {% do run_query('create table ' ~ this ~ ' ' ~ sqlite_seed_definition(model, agate_table)) %}
    {% do return('select 1') %}
{% endmacro %}

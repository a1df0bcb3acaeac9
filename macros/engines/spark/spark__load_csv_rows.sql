{# They came with the table. #}
{% macro spark__load_csv_rows(model, agate_table) %}
    {% do return('select 1') %}
{% endmacro %}

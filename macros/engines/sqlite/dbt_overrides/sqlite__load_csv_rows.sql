{# A table that was just created has no rows; an existing one has them all. dbt needs a transaction to commit. #}
{% macro sqlite__load_csv_rows(model, agate_table) %}
    {% set count = run_query('select count(*) from ' ~ this).rows[0][0] | int %}
    {% if count == agate_table.rows | length %}
        {% call statement() %}select 1{% endcall %}
        {% do return('select 1') %}
    {% endif %}
    {% do return(dbt.sqlite__load_csv_rows(model, agate_table)) %}
{% endmacro %}

{# The type of a table's column for what its contract says. #}
{% macro column_type(column) %}
    {% do return(adapter.dispatch('column_type')(column)) %}
{% endmacro %}

{% macro default__column_type(column) %}
    {% do return(contract_type(column.data_type)) %}
{% endmacro %}

{% macro sqlite__column_type(column) %}
    {% do return(sqlite_column_type(column)) %}
{% endmacro %}

{# The engine's column type for a type of the contract. #}
{% macro column_type(column) %}
    {% do return(adapter.dispatch('column_type')(column)) %}
{% endmacro %}

{% macro default__column_type(column) %}
    {% do return(contract_type(column.data_type)) %}
{% endmacro %}

{% macro sqlite__column_type(column) %}
    {% do return(sqlite_column_type(column)) %}
{% endmacro %}

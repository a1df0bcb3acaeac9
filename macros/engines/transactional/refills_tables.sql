{# Whether a standing table is emptied and filled, rather than made anew. #}
{% macro refills_tables() %}
    {% do return(adapter.dispatch('refills_tables')()) %}
{% endmacro %}

{# A key that was deleted cannot come again within the same transaction on DuckDB. #}
{% macro default__refills_tables() %}
    {% do return(false) %}
{% endmacro %}

{# Views depend on the very table there: to drop it would take them along. #}
{% macro postgres__refills_tables() %}
    {% do return(true) %}
{% endmacro %}

{# True if an existing table is emptied and filled again, false if it is recreated. #}
{% macro refills_tables() %}
    {% do return(adapter.dispatch('refills_tables')()) %}
{% endmacro %}

{# DuckDB refuses a key that was deleted in the same transaction. #}
{% macro default__refills_tables() %}
    {% do return(false) %}
{% endmacro %}

{# On PostgreSQL views depend on the table itself: dropping it would drop them too. #}
{% macro postgres__refills_tables() %}
    {% do return(true) %}
{% endmacro %}

{# Begins the transaction, and keeps other builds, not readers, away from the standing table until it ends. #}
{% macro hold_for_build(adds) %}
    {% do adapter.dispatch('hold_for_build')(adds) %}
{% endmacro %}

{# One process at a time opens a DuckDB file. #}
{% macro default__hold_for_build(adds) %}
    {% call statement() %}select 1{% endcall %}
{% endmacro %}

{% macro postgres__hold_for_build(adds) %}
    {% call statement() %}{{ 'lock table ' ~ this ~ ' in exclusive mode' if adds else 'select 1' }}{% endcall %}
{% endmacro %}

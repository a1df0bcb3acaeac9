{# Begins the transaction and locks the existing table against other builds, but not against readers, until it ends. #}
{% macro hold_for_build(adds) %}
    {% do adapter.dispatch('hold_for_build')(adds) %}
{% endmacro %}

{# Only one process at a time can open a DuckDB file. #}
{% macro default__hold_for_build(adds) %}
    {% call statement() %}select 1{% endcall %}
{% endmacro %}

{% macro postgres__hold_for_build(adds) %}
    {% call statement() %}{{ 'lock table ' ~ this ~ ' in exclusive mode' if adds else 'select 1' }}{% endcall %}
{% endmacro %}

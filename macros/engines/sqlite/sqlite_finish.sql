{# The end of every materialization: hooks, commit, hooks, and what dbt wants to hear. #}
{% macro sqlite_finish(type='table') %}
    {% set built = this.incorporate(type=type) %}
    {% do run_hooks(post_hooks, inside_transaction=true) %}
    {% do adapter.commit() %}
    {% do run_hooks(post_hooks, inside_transaction=false) %}
    {% do return({'relations': [built]}) %}
{% endmacro %}

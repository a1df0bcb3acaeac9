{# The end of every materialization: hooks, commit, hooks, and the value that dbt expects. #}
{% macro finish(type='table') %}
    {% do run_hooks(post_hooks, inside_transaction=true) %}
    {% do adapter.commit() %}
    {% do run_hooks(post_hooks, inside_transaction=false) %}
    {% do return({'relations': [this.incorporate(type=type)]}) %}
{% endmacro %}

{# The end of every materialization: hooks, commit, hooks, and the value that dbt expects. It drops the unfinished table
   of a killed full refresh, because a build that only changes rows would leave it there. #}
{% macro sqlite_finish(type='table') %}
    {% set built = this.incorporate(type=type) %}
    {% set unfinished = make_intermediate_relation(this, '__dbt_new') %}
    {% do run_hooks(post_hooks, inside_transaction=true) %}
    {% do adapter.commit() %}
    {% if type == 'table' and sqlite_stored_sql(unfinished) %}
        {% do sqlite_take_write_lock() %}
        {% do run_query('drop table ' ~ unfinished) %}
        {% do adapter.commit() %}
    {% endif %}
    {% do run_hooks(post_hooks, inside_transaction=false) %}
    {% do return({'relations': [built]}) %}
{% endmacro %}

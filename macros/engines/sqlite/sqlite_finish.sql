{# The end of every materialization: hooks, commit, hooks, and what dbt wants to hear. A killed full refresh may have
   left its unfinished table, which a build that changes rows alone would let stand. #}
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

{# The end of every materialization: hooks, commit, hooks, and what dbt wants to hear. A killed full refresh may have
   left its unfinished table, which a build that only adds rows would let stand. #}
{% macro sqlite_finish(type='table') %}
    {% set built = this.incorporate(type=type) %}
    {% do run_hooks(post_hooks, inside_transaction=true) %}
    {% do run_query('drop table if exists ' ~ make_intermediate_relation(this, '__dbt_new')) %}
    {% do adapter.commit() %}
    {% do run_hooks(post_hooks, inside_transaction=false) %}
    {% do return({'relations': [built]}) %}
{% endmacro %}

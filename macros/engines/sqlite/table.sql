{% materialization table, adapter='sqlite' %}
    {% do run_hooks(pre_hooks, inside_transaction=false) %}
    {% do sqlite_put_in(sqlite_stage(sql)) %}
    {{ return(sqlite_finish()) }}
{% endmaterialization %}

{# Staged, put in place, hooks and all in one transaction: readers see the old rows or the new ones. #}
{% macro build_table() %}
    {% do run_hooks(pre_hooks, inside_transaction=false) %}
    {% set staged = stage(sql) %}
    {% do run_hooks(pre_hooks, inside_transaction=true) %}
    {% do put_in_place(staged) %}
    {% do return(finish()) %}
{% endmacro %}

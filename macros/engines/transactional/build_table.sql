{# Staging, replacement and hooks are one transaction: readers see either the old rows or the new ones. #}
{% macro build_table() %}
    {% do run_hooks(pre_hooks, inside_transaction=false) %}
    {% set staged = stage(sql) %}
    {% do run_hooks(pre_hooks, inside_transaction=true) %}
    {% do put_in_place(staged) %}
    {% do return(finish()) %}
{% endmacro %}

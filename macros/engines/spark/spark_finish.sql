{# Readers see the dbt model's name as a view of one of several tables. #}
{% macro spark_finish() %}
    {% do run_hooks(post_hooks) %}
    {% do return({'relations': [this.incorporate(type='view')]}) %}
{% endmacro %}

{% materialization table, adapter='spark' %}
    {% do run_hooks(pre_hooks) %}
    {% do spark_put_version(as_contracted(sql)) %}
    {{ return(spark_finish()) }}
{% endmaterialization %}

{# A rollup that grows by what is new, as on SQLite: the next version is the standing one and the delta, summed up. Both
   are read, and the watermark with them, from the version that stands when the statement begins. #}
{% materialization additive, adapter='spark' %}
    {% do assert_additive() %}
    {% do run_hooks(pre_hooks) %}
    {% do spark_put_version(spark_additive_sum(as_contracted(sql)) if is_incremental() else as_contracted(sql)) %}
    {{ return(spark_finish()) }}
{% endmaterialization %}

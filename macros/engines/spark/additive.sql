{# A rollup that grows by the new rows, as on SQLite. The next version is the sum of the existing one and the delta.
   Both of them, and the watermark, are read from the version that exists when the statement begins. #}
{% materialization additive, adapter='spark' %}
    {% do assert_additive() %}
    {% do run_hooks(pre_hooks) %}
    {% do spark_put_version(spark_additive_sum(as_contracted(sql)) if is_incremental() else as_contracted(sql)) %}
    {{ return(spark_finish()) }}
{% endmaterialization %}

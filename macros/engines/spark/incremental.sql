{# dbt's incremental, as on SQLite. The next version has the new rows, and the existing ones except those that a
   pre_hook deletes or whose unique_key comes again. #}
{% materialization incremental, adapter='spark' %}
    {% if is_incremental() %}
        {% set staged = spark_version('s') %}
        {% do run_query('create table ' ~ staged ~ ' using parquet as ' ~ as_contracted(sql)) %}
        {% do spark_put_version(spark_replaced(staged)) %}
        {% do run_query('drop table ' ~ staged) %}
    {% else %}
        {% do spark_put_version(as_contracted(sql)) %}
    {% endif %}
    {{ return(spark_finish()) }}
{% endmaterialization %}

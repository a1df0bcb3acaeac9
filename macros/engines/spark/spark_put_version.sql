{# A Parquet table cannot be read and overwritten at once, and cannot be overwritten in one step. So each build creates
   a new table, and the dbt model's name is a view of the last finished one. Pointing the view to another table is one
   step: if a build is killed, the old version remains. The version before is kept until the next build, for queries
   that are still reading it. #}
{% macro spark_put_version(sql) %}
    {% set standing, version = load_relation(this), spark_version() %}
    {% call statement('main') %}
        create table {{ version }} using parquet as
        {{ sql }}
    {% endcall %}
    {% set known = spark_versions() %}
    {% set current = run_query('show create table ' ~ this).rows[0][0] if standing is not none and standing.is_view else '' %}
    {% if standing is not none and not standing.is_view %}
        {% do adapter.drop_relation(standing) %}
    {% endif %}
    {% do run_query('create or replace view ' ~ this ~ ' as select * from ' ~ version) %}
    {% for name in known if not name.endswith(version.identifier[-32:]) and name not in current %}
        {% do run_query('drop table if exists ' ~ this.schema ~ '.' ~ name) %}
    {% endfor %}
{% endmacro %}

{# Parquet tables cannot be read and overwritten at once, nor overwritten all at once. So each build makes a table of its
   own, and what is known by the dbt model's name is a view of the last one that was finished. To point it to another
   table is one step: a build that is killed leaves the old version standing. The version before is kept until the next
   build, for queries that are reading it. #}
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

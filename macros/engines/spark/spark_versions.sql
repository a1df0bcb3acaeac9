{# The tables that builds of a dbt model have made, finished or not. #}
{% macro spark_versions() %}
    {% set names = [] %}
    {% for row in run_query('show tables in ' ~ this.schema ~ " like '" ~ this.identifier ~ "__[vs]_*'") %}
        {% do names.append(row['tableName']) %}
    {% endfor %}
    {% do return(names) %}
{% endmacro %}

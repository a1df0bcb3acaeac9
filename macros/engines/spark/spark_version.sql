{# The name of a table that this very build of a dbt model makes. #}
{% macro spark_version(kind='v') %}
    {% do return(this.incorporate(path={'identifier': this.identifier ~ '__' ~ kind ~ '_' ~ invocation_id | replace('-', '')})) %}
{% endmacro %}

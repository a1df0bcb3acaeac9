{# The name of the table that this build of a dbt model creates. #}
{% macro spark_version(kind='v') %}
    {% do return(this.incorporate(path={'identifier': this.identifier ~ '__' ~ kind ~ '_' ~ invocation_id | replace('-', '')})) %}
{% endmacro %}

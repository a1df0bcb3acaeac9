{# Writes the rows of a build to a temporary table, within the transaction that publishes them. #}
{% macro stage(sql) %}
    {% set staged = api.Relation.create(identifier=this.identifier ~ '__dbt_staged', type='table') %}
    {% call statement() %}drop table if exists {{ staged }}{% endcall %}
    {% call statement('main') %}
        create temporary table {{ staged }} as
        {{ as_contracted(sql) }}
    {% endcall %}
    {% do return(staged) %}
{% endmacro %}

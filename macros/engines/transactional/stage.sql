{# The rows of a build in a temporary table, within the transaction that puts them in place. #}
{% macro stage(sql) %}
    {% set staged = api.Relation.create(identifier=this.identifier ~ '__dbt_staged', type='table') %}
    {% call statement() %}drop table if exists {{ staged }}{% endcall %}
    {% call statement('main') %}
        create temporary table {{ staged }} as
        {{ as_contracted(sql) }}
    {% endcall %}
    {% do return(staged) %}
{% endmacro %}

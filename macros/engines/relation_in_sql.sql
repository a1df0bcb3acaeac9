{% macro relation_in_sql(relation) %}
    {% do return(adapter.dispatch('relation_in_sql')(relation)) %}
{% endmacro %}

{% macro default__relation_in_sql(relation) %}
    {% do return(relation) %}
{% endmacro %}

{# A view that says `main.` cannot be read if its file is attached under another name. #}
{% macro sqlite__relation_in_sql(relation) %}
    {% do return(relation.include(database=false, schema=false)) %}
{% endmacro %}

{# The database is named after its file, which may be renamed. #}
{% macro duckdb__relation_in_sql(relation) %}
    {% do return(relation.include(database=false)) %}
{% endmacro %}

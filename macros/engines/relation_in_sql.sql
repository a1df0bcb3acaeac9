{# With `--empty`, dbt gives each relation an alias of its own, which the alias in the SQL would follow. #}
{% macro relation_in_sql(relation) %}
    {% do return(adapter.dispatch('relation_in_sql')(relation.replace(require_alias=false))) %}
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

{# True if `create or replace` accepts the select for the existing view: PostgreSQL only allows new columns at the end. #}
{% macro replaces_view(standing, sql) %}
    {% do return(adapter.dispatch('replaces_view')(standing, sql)) %}
{% endmacro %}

{% macro default__replaces_view(standing, sql) %}
    {% do return(true) %}
{% endmacro %}

{% macro postgres__replaces_view(standing, sql) %}
    {% set columns = [] %}
    {% for column in columns_of_query(sql) %}
        {% do columns.append(column.name ~ ' ' ~ column.data_type) %}
    {% endfor %}
    {% do return(columns == column_types(standing)) %}
{% endmacro %}

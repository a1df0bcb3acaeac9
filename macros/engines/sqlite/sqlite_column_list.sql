{% macro sqlite_column_list(relation) %}
    {% set quoted = [] %}
    {% for column in sqlite_columns(relation) %}
        {% do quoted.append(adapter.quote(column.name)) %}
    {% endfor %}
    {% do return(quoted | join(', ')) %}
{% endmacro %}

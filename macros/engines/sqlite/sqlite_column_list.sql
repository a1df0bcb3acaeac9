{% macro sqlite_column_list(relation) %}
    {% do return(adapter.get_columns_in_relation(relation) | map(attribute='quoted') | join(', ')) %}
{% endmacro %}

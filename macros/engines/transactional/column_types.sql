{% macro column_types(relation) %}
    {% set types = [] %}
    {% for column in adapter.get_columns_in_relation(relation) %}
        {% do types.append(column.name ~ ' ' ~ column.data_type) %}
    {% endfor %}
    {% do return(types) %}
{% endmacro %}

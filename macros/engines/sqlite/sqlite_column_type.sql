{# STRICT tables have few types, but a contract may use other engines' names for them. #}
{% macro sqlite_column_type(column) %}
    {% set names = {
        'integer': ['integer', 'int', 'smallint', 'bigint', 'boolean'],
        'real': ['real', 'float', 'double', 'double precision'],
        'text': ['text', 'varchar', 'string', 'date', 'timestamp'],
    } %}
    {% set declared = (column.data_type or '').split('(')[0] | trim | lower %}
    {% for type, aliases in names.items() if declared in aliases %}
        {% do return(type) %}
    {% endfor %}
    {% do exceptions.raise_compiler_error(
        model.name ~ '.' ~ column.name ~ ": data_type '" ~ declared ~ "' is none that SQLite can hold to"
    ) %}
{% endmacro %}

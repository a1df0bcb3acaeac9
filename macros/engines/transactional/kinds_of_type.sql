{# The contract types to which a column may be cast and still keep its kind of value. A sum of integers is a decimal on
   some engines, and a literal is one on others. #}
{% macro kinds_of_type(data_type) %}
    {% set type = data_type.split('(')[0] | trim | lower %}
    {% set kinds = {
        'bigint': ['int', 'integer', 'bigint', 'hugeint', 'longinteger', 'smallint', 'tinyint', 'numeric', 'decimal'],
        'double': ['double', 'double precision', 'float', 'real', 'numeric', 'decimal'],
        'text': ['text', 'varchar', 'string', 'character varying'],
    } %}
    {% set found = [] %}
    {% for kind, types in kinds.items() if type in types %}
        {% do found.append(kind) %}
    {% endfor %}
    {% do return(found) %}
{% endmacro %}

{# Which types of a contract a column may be cast to without becoming something else. A decimal is what a sum of
   integers is on some engines, and what a literal is on others. #}
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

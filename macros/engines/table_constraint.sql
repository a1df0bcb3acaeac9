{# A check is named after its dbt model and column, because the name is all that an engine reports if a row breaks it. #}
{% macro table_constraint(constraint) %}
    {% set columns = constraint.columns or [] %}
    {% if constraint.type == 'check' %}
        {% set subject = ([model.name] + columns) | join('.') %}
        {% set name = constraint.name or subject ~ ': ' ~ constraint.expression | replace('"', '') %}
        {% do return('constraint ' ~ adapter.quote(name) ~ ' check (' ~ constraint.expression ~ ')') %}
    {% elif constraint.type in ('unique', 'primary_key') %}
        {% do return(constraint.type | replace('_', ' ') ~ ' ("' ~ columns | join('", "') ~ '")') %}
    {% else %}
        {% do exceptions.raise_compiler_error(model.name ~ ': no ' ~ constraint.type ~ ' constraint here') %}
    {% endif %}
{% endmacro %}

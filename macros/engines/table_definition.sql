{# The definition after `create table x`: the columns and constraints of the contract. None if no contract is enforced. #}
{% macro table_definition() %}
    {% if not config.get('contract').enforced %}
        {% do return(none) %}
    {% endif %}
    {% set constraints = model.constraints | list %}
    {% for column in model.columns.values() %}
        {% for constraint in column.constraints %}
            {% do constraints.append(dict(constraint, columns=[column.name])) %}
        {% endfor %}
    {% endfor %}
    {% if config.get('materialized') == 'additive' %}
        {% do constraints.append({'type': 'primary_key', 'columns': config.get('unique_key')}) %}
    {% endif %}
    {% set required = constraints | selectattr('type', 'in', ['not_null', 'primary_key']) | sum('columns', start=[]) %}
    {% set lines = [] %}
    {% for column in model.columns.values() %}
        {% set not_null = ' not null' if column.name in required else '' %}
        {% do lines.append(adapter.quote(column.name) ~ ' ' ~ column_type(column) ~ not_null) %}
    {% endfor %}
    {% for constraint in constraints | rejectattr('type', 'equalto', 'not_null') %}
        {% do lines.append(table_constraint(constraint)) %}
    {% endfor %}
    {% do return('(\n    ' ~ lines | join(',\n    ') ~ '\n)') %}
{% endmacro %}

{# The columns that identify a row: the primary key, or else the first unique index; none if the table has neither. #}
{% macro sqlite_key() %}
    {% set keys = [] %}
    {% if config.get('contract').enforced %}
        {% do keys.extend(model.constraints | selectattr('type', 'equalto', 'primary_key') | map(attribute='columns')) %}
        {% for column in model.columns.values() %}
            {% for constraint in column.constraints if constraint.type == 'primary_key' %}
                {% do keys.append([column.name]) %}
            {% endfor %}
        {% endfor %}
    {% endif %}
    {% do keys.extend(config.get('indexes', []) | selectattr('unique', 'true') | map(attribute='columns')) %}
    {% do return(keys[0] if keys else none) %}
{% endmacro %}

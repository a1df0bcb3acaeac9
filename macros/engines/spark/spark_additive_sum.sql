{% macro spark_additive_sum(delta) %}
    {% set least = config.get('minimum_columns', []) %}
    {% set greatest = config.get('maximum_columns', []) %}
    {% set keys = config.get('unique_key') %}
    {% set columns = [] %}
    {% for column in model.columns.values() %}
        {% set name = adapter.quote(column.name) %}
        {% if column.name in keys %}
            {% do columns.append(name) %}
        {% else %}
            {% set aggregate = 'min' if column.name in least else 'max' if column.name in greatest else 'sum' %}
            {% do columns.append(aggregate ~ '(' ~ name ~ ') as ' ~ name) %}
        {% endif %}
    {% endfor %}
    {% do return(
        'select ' ~ columns | join(', ') ~ '\nfrom (\nselect * from ' ~ this ~ '\nunion all\n' ~ delta ~ '\n) as parts'
        ~ '\ngroup by ' ~ keys | join(', ')
    ) %}
{% endmacro %}

{# The select, with each column cast to the type of its contract: on these engines a sum of bigints is wider, and a
   literal is a decimal. Fails if names differ, or if a cast would change the kind of a value. #}
{% macro as_contracted(sql) %}
    {% if not config.get('contract').enforced %}
        {% do return(sql) %}
    {% endif %}
    {% set found, declared, agreed = [], [], {} %}
    {% set casts = [] %}
    {% for column in model.columns.values() %}
        {% do declared.append({'name': column.name, 'data_type': column.data_type}) %}
        {% do agreed.update({column.name: column.data_type}) %}
        {% set name = adapter.quote(column.name) %}
        {% do casts.append('cast(' ~ name ~ ' as ' ~ contract_type(column.data_type) ~ ') as ' ~ name) %}
    {% endfor %}
    {% for column in columns_of_query(sql) %}
        {% set kinds = kinds_of_type(column.data_type) %}
        {% set is_agreed = agreed.get(column.name) in kinds %}
        {% do found.append({
            'name': column.name, 'data_type': agreed[column.name] if is_agreed else kinds | first or column.data_type
        }) %}
    {% endfor %}
    {% if declared | sort(attribute='name') != found | sort(attribute='name') %}
        {% do exceptions.raise_contract_error(declared, found) %}
    {% endif %}
    {% do return('select\n    ' ~ casts | join(',\n    ') ~ '\nfrom (\n' ~ sql ~ '\n) as uncast') %}
{% endmacro %}

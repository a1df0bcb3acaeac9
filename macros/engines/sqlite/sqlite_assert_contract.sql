{# A view shows names and declared types without running the query or locking the file. It uses the existing view or
   creates a temporary one, because SQLite accepts a view on a missing column without an error. SQLite does not know the
   types of computed columns: STRICT checks those. #}
{% macro sqlite_assert_contract(sql, standing_view=none) %}
    {% set probe = standing_view or make_temp_relation(this, '__dbt_probe') %}
    {% if not standing_view %}
        {% do run_query('create temporary view ' ~ adapter.quote(probe.identifier) ~ ' as ' ~ sql) %}
    {% endif %}
    {% set built = sqlite_columns(probe) %}
    {% if not standing_view %}
        {% do run_query('drop view ' ~ probe) %}
    {% endif %}
    {% if config.get('contract').enforced %}
        {% set known = {'INT': 'integer', 'INTEGER': 'integer', 'REAL': 'real', 'TEXT': 'text'} %}
        {% set declared, agreed, found = [], {}, [] %}
        {% for column in model.columns.values() %}
            {% do agreed.update({column.name: sqlite_column_type(column)}) %}
            {% do declared.append({'name': column.name, 'data_type': agreed[column.name]}) %}
        {% endfor %}
        {% for column in built %}
            {% set type = known.get(column.type | upper, agreed.get(column.name, 'unknown')) %}
            {% do found.append({'name': column.name, 'data_type': type}) %}
        {% endfor %}
        {% if declared | sort(attribute='name') != found | sort(attribute='name') %}
            {% do exceptions.raise_contract_error(declared, found) %}
        {% endif %}
    {% endif %}
{% endmacro %}

{# A contract on DuckDB, PostgreSQL and Spark: the columns of a select are cast to its types. #}


{# The select, with each column cast to the type of its contract: on these engines a sum of bigints is wider, and a
   literal is a decimal. Fails if names differ, or if a cast would change the kind of a value. #}
{% macro as_contracted(sql) %}
    {% if not config.get('contract').enforced %}
        {% do return(sql) %}
    {% endif %}
    {% set declared, declared_types, selected, casts = [], {}, [], [] %}
    {% for column in model.columns.values() %}
        {% set name = adapter.quote(column.name) %}
        {% do declared.append({'name': column.name, 'data_type': column.data_type}) %}
        {% do declared_types.update({column.name: column.data_type}) %}
        {% do casts.append('cast(' ~ name ~ ' as ' ~ contract_type(column.data_type) ~ ') as ' ~ name) %}
    {% endfor %}
    {% for column in columns_of_query(sql) %}
        {% set kinds, type = kinds_of_type(column.data_type), declared_types.get(column.name) %}
        {% set type = type if type in kinds else kinds | first or column.data_type %}
        {% do selected.append({'name': column.name, 'data_type': type}) %}
    {% endfor %}
    {% if declared | sort(attribute='name') != selected | sort(attribute='name') %}
        {% do exceptions.raise_contract_error(declared, selected) %}
    {% endif %}
    {% do return('select\n    ' ~ casts | join(',\n    ') ~ '\nfrom (\n' ~ sql ~ '\n) as uncast') %}
{% endmacro %}


{# Names and types of the columns that a select returns, without running it. #}
{% macro columns_of_query(sql) %}
    {% do return(adapter.get_column_schema_from_query(get_empty_subquery_sql(sql))) %}
{% endmacro %}


{# The contract types (bigint, double, text) to which a column of an engine's type may be cast and still keep its kind of
   value; an empty list for any other type. A sum of integers is a decimal on some engines, and a literal is one on
   others. #}
{% macro kinds_of_type(data_type) %}
    {% set type = data_type.split('(')[0] | trim | lower %}
    {% set type_names = {
        'bigint': ['int', 'integer', 'bigint', 'hugeint', 'longinteger', 'smallint', 'tinyint', 'numeric', 'decimal'],
        'double': ['double', 'double precision', 'float', 'real', 'numeric', 'decimal'],
        'text': ['text', 'varchar', 'string', 'character varying'],
    } %}
    {% set kinds = [] %}
    {% for kind, names in type_names.items() if type in names %}
        {% do kinds.append(kind) %}
    {% endfor %}
    {% do return(kinds) %}
{% endmacro %}


{# True if the existing table has exactly the columns of the contract, or if there is no contract; otherwise it is
   rebuilt. #}
{% macro has_contract_columns() %}
    {% set names = adapter.get_columns_in_relation(this) | map(attribute='name') | list %}
    {% do return(not config.get('contract').enforced or names == model.columns.keys() | list) %}
{% endmacro %}

{# The contract of a dbt model as DDL. Contracts say text, bigint and double. #}


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


{# A check, unique or primary_key of the contract, with `columns` and, for a check, `expression`. A check is named after
   its dbt model and column, because the name is all that an engine reports if a row breaks it. #}
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


{# The engine's column type for a column of the contract. #}
{% macro column_type(column) %}
    {% do return(adapter.dispatch('column_type')(column)) %}
{% endmacro %}

{% macro default__column_type(column) %}
    {% do return(contract_type(column.data_type)) %}
{% endmacro %}


{# The engine's name for a type of the contract, for casts. #}
{% macro contract_type(data_type) -%}
    {{ return({'text': text_type(), 'double': double_type()}.get(data_type | lower, data_type)) }}
{%- endmacro %}


{# True if the table's own DDL already refuses a null or a second row in these columns. A test then need not read the
   whole table. False if an engine does not enforce its constraints.
   Example: holds_key(ref('model_rankings'), ['task_type', 'model_id']). #}
{% macro holds_key(relation, columns) %}
    {% do return(execute and adapter.dispatch('holds_key')(relation, columns)) %}
{% endmacro %}

{% macro default__holds_key(relation, columns) %}
    {% do return(false) %}
{% endmacro %}

{# If a test's config limits the rows, dbt passes a text and not a relation. #}
{% macro sqlite__holds_key(relation, columns) %}
    {% if relation is string %}
        {% do return(false) %}
    {% endif %}
    {% set table = "'" ~ relation.identifier ~ "'" %}
    {% set names = "'" ~ columns | sort | join("', '") ~ "'" %}
    {#- A primary key of one integer is SQLite's rowid: it is never null, and has no index. -#}
    {% set is_unique, required_columns, is_rowid = run_query(
        'select exists (select 1 from pragma_index_list(' ~ table ~ ') as listed where listed."unique" = 1'
        ' and listed.partial = 0 and json_array(' ~ names ~ ') = (select json_group_array(name) from'
        ' (select name from pragma_index_info(listed.name) order by name))),'
        ' (select count(*) from pragma_table_info(' ~ table ~ ') where "notnull" = 1 and name in (' ~ names ~ ')),'
        ' (select json_group_array(name) = json_array(' ~ names ~ ") and min(type) = 'INTEGER'"
        ' from pragma_table_info(' ~ table ~ ') where pk > 0)'
    ).rows[0] %}
    {% do return(is_rowid == 1 or (is_unique == 1 and required_columns == columns | length)) %}
{% endmacro %}

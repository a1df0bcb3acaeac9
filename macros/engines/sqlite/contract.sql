{# A contract on SQLite makes a STRICT table with its types and constraints, which is rebuilt if the contract changes.
   dbt-sqlite itself checks no contract; it warns "Model contracts cannot be enforced by sqlite!". #}


{# The result of table_definition, with STRICT. SQLite stores this text, and sqlite_is_as_defined compares it to detect
   a changed contract. #}
{% macro sqlite_table_definition() %}
    {% set definition = table_definition() %}
    {% do return(definition ~ ' strict' if definition else none) %}
{% endmacro %}


{# STRICT tables have few types, but a contract may use other engines' names for them. #}
{% macro sqlite__column_type(column) %}
    {% set names = {
        'integer': ['integer', 'int', 'smallint', 'bigint', 'boolean'],
        'real': ['real', 'float', 'double', 'double precision'],
        'text': ['text', 'varchar', 'string', 'date', 'timestamp'],
    } %}
    {% set declared = (column.data_type or '').split('(')[0] | trim | lower %}
    {% for type, aliases in names.items() if declared in aliases %}
        {% do return(type) %}
    {% endfor %}
    {% do exceptions.raise_compiler_error(
        model.name ~ '.' ~ column.name ~ ": SQLite has no type for data_type '" ~ declared ~ "'"
    ) %}
{% endmacro %}


{# Fails the dbt model if its select does not run, or does not return the contract's columns. A view shows names and
   declared types without running the query or locking the file. It uses the existing view or creates a temporary one,
   because SQLite accepts a view on a missing column without an error. SQLite does not know the types of computed
   columns: STRICT checks those. #}
{% macro sqlite_assert_contract(sql, existing_view=none) %}
    {% set probe = existing_view or make_temp_relation(this, '__dbt_probe') %}
    {% if not existing_view %}
        {% do run_query('create temporary view ' ~ adapter.quote(probe.identifier) ~ ' as ' ~ sql) %}
    {% endif %}
    {% set columns = sqlite_columns(probe) %}
    {% if not existing_view %}
        {% do run_query('drop view ' ~ probe) %}
    {% endif %}
    {% if config.get('contract').enforced %}
        {% set type_names = {'INT': 'integer', 'INTEGER': 'integer', 'REAL': 'real', 'TEXT': 'text'} %}
        {% set declared, declared_types, selected = [], {}, [] %}
        {% for column in model.columns.values() %}
            {% do declared_types.update({column.name: sqlite__column_type(column)}) %}
            {% do declared.append({'name': column.name, 'data_type': declared_types[column.name]}) %}
        {% endfor %}
        {% for column in columns %}
            {% set type = type_names.get(column.type | upper, declared_types.get(column.name, 'unknown')) %}
            {% do selected.append({'name': column.name, 'data_type': type}) %}
        {% endfor %}
        {% if declared | sort(attribute='name') != selected | sort(attribute='name') %}
            {% do exceptions.raise_contract_error(declared, selected) %}
        {% endif %}
    {% endif %}
{% endmacro %}


{# True if a table was created by the current contract, or if no contract is enforced, and if it has the indexes of the
   config. #}
{% macro sqlite_is_as_defined(relation) %}
    {% set definition = sqlite_table_definition() %}
    {% set indexes = [] %}
    {% for index in config.get('indexes', []) %}
        {% do indexes.append(((index.unique or false) | int) ~ ' ' ~ index.columns | join(', ')) %}
    {% endfor %}
    {% set stored = run_query(
        "select sql, ("
        "select json_group_array(listed.\"unique\" || ' ' || ("
        "select group_concat(name, ', ') from pragma_index_info(listed.name)))"
        " from pragma_index_list(sqlite_master.name) as listed where listed.origin = 'c')"
        " from sqlite_master where type = 'table' and name = '" ~ relation.identifier ~ "'"
    ).rows %}
    {% do return(
        stored | length == 1
        and (definition is none or stored[0][0][stored[0][0].find('('):] | trim == definition)
        and fromjson(stored[0][1]) | sort == indexes | sort
    ) %}
{% endmacro %}


{# The statement that created a table or view, as SQLite stores it; none if it does not exist. #}
{% macro sqlite_stored_sql(relation) %}
    {% set stored = run_query(
        "select sql from sqlite_master where type in ('table', 'view') and name = '" ~ relation.identifier ~ "'"
    ) %}
    {% do return(stored.rows[0][0] if stored.rows else none) %}
{% endmacro %}

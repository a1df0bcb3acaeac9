{% macro sqlite_stands_as_defined(relation) %}
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

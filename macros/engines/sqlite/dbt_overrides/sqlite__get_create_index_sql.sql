{# Each build needs an index name of its own: while a table is rebuilt, the old indexes exist beside the new ones. #}
{% macro sqlite__get_create_index_sql(relation, index_dict) %}
    {% set name = ([this.identifier] + index_dict['columns'] + [invocation_id[:8]]) | join('__') %}
    {% do return(
        'create ' ~ ('unique ' if index_dict.get('unique')) ~ 'index ' ~ adapter.quote(name)
        ~ ' on ' ~ adapter.quote(relation.identifier) ~ ' (' ~ index_dict['columns'] | join(', ') ~ ')'
    ) %}
{% endmacro %}

{# True if the table's own DDL already refuses a null or a second row in these columns. A test then need not read the
   whole table. #}
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
    {% set listed = "'" ~ columns | sort | join("', '") ~ "'" %}
    {% set found = run_query(
        'select exists (select 1 from pragma_index_list(' ~ table ~ ') as listed where listed."unique" = 1'
        ' and listed.partial = 0 and json_array(' ~ listed ~ ') = (select json_group_array(name) from'
        ' (select name from pragma_index_info(listed.name) order by name))),'
        ' (select count(*) from pragma_table_info(' ~ table ~ ') where "notnull" = 1 and name in (' ~ listed ~ '))'
    ).rows[0] %}
    {% do return(found[0] == 1 and found[1] == columns | length) %}
{% endmacro %}

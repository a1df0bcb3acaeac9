{# Everything slow happens here, in a temporary table: writers of the file wait for none of it, and a row that breaks
   the contract fails before anything was touched. Leaves a reading transaction open, so that what else is read before
   the write lock is taken is of the same moment. Returns the temporary table, whose rowids run from 1: an integer
   primary key would be the rowid, and is a unique constraint here. #}
{% macro sqlite_stage(sql) %}
    {# A table is made of rollups, which fit; what passes through the whole log may not. #}
    {% if config.get('materialized') == 'table' %}
        {% do run_query('pragma temp_store = memory') %}
    {% endif %}
    {% set staged = make_temp_relation(this, '__dbt_staged').incorporate(type='table') %}
    {% set definition = sqlite_table_definition() %}
    {% do sqlite_assert_contract(sql) %}
    {# In KiB: sorts and comparisons of large tables read each page once. #}
    {% do run_query('pragma cache_size = -65536') %}
    {% do run_query('pragma temp.cache_size = -65536') %}
    {% if definition is none %}
        {% call statement('main') %}create temporary table {{ adapter.quote(staged.identifier) }} as {{ sql }}{% endcall %}
    {% else %}
        {% call statement() %}create temporary table {{ adapter.quote(staged.identifier) }} {{ definition | replace('primary key (', 'unique (') }}{% endcall %}
        {% set columns = sqlite_column_list(staged) %}
        {% call statement('main') %}
            insert into {{ staged }} ({{ columns }})
            select {{ columns }} from (
                {{ sql }}
            )
        {% endcall %}
    {% endif %}
    {% do return(staged) %}
{% endmacro %}

{# All slow work happens here, in a temporary table. Writers of the file do not wait for it, and a row that breaks the
   contract fails before anything is changed. Leaves a read transaction open, so that later reads before the write lock
   see the same state. Returns the temporary table. Its rowids run from 1; an integer primary key would be the rowid
   itself, so it is a unique constraint here. #}
{% macro sqlite_stage(sql) %}
    {# A table is built from rollups, which fit into memory; a query over the whole log may not fit. #}
    {% if config.get('materialized') == 'table' %}
        {% do run_query('pragma temp_store = memory') %}
    {% endif %}
    {% set staged = make_temp_relation(this, '__dbt_staged').incorporate(type='table') %}
    {% set definition = sqlite_table_definition() %}
    {% do sqlite_assert_contract(sql) %}
    {# In KiB. With it, sorts and comparisons of large tables read each page once. #}
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

{% macro sqlite__snapshot_merge_sql(target, source, insert_cols) -%}
    {%- set names = config.get('snapshot_table_column_names') or get_snapshot_table_column_names() -%}
    {%- set current = config.get('dbt_valid_to_current') -%}
    {%- do sqlite_take_write_lock() -%}
    {%- do run_query(
        'update ' ~ target ~ ' as standing set ' ~ names.dbt_valid_to ~ ' = source.' ~ names.dbt_valid_to
        ~ ' from ' ~ source ~ ' as source where source.' ~ names.dbt_scd_id ~ ' = standing.' ~ names.dbt_scd_id
        ~ " and source.dbt_change_type in ('update', 'delete') and (standing." ~ names.dbt_valid_to ~ ' is null'
        ~ (' or standing.' ~ names.dbt_valid_to ~ ' = ' ~ current if current else '') ~ ')'
    ) -%}
    insert into {{ target }} ({{ insert_cols | join(', ') }})
    select {{ insert_cols | join(', ') }} from {{ source }}
    where dbt_change_type = 'insert'
{%- endmacro %}

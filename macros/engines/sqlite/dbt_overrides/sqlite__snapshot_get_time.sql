{# To the millisecond, because two snapshots within one second would give a row and its successor the same dbt_scd_id. #}
{% macro sqlite__snapshot_get_time() -%}
    {{ sqlite__current_timestamp() }}
{%- endmacro %}

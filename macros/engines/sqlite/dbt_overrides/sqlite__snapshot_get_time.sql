{# To the millisecond, or two snapshots within a second give a row and its successor the same dbt_scd_id. #}
{% macro sqlite__snapshot_get_time() -%}
    {{ sqlite__current_timestamp() }}
{%- endmacro %}

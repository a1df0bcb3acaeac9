{% macro listed(expression, partition_by, order_by) -%}
    {{ return(adapter.dispatch('listed')(expression, partition_by, order_by)) }}
{%- endmacro %}

{% macro default__listed(expression, partition_by, order_by) -%}
    string_agg({{ expression }}, ', ') over (
        partition by {{ partition_by }}
        order by {{ order_by }}
        rows between unbounded preceding and unbounded following
    )
{%- endmacro %}

{# A plain aggregate would have no fixed order here. #}
{% macro sqlite__listed(expression, partition_by, order_by) -%}
    {{ default__listed(expression, partition_by, order_by) | replace('string_agg', 'group_concat') }}
{%- endmacro %}

{% macro spark__listed(expression, partition_by, order_by) -%}
    nullif(array_join(collect_list({{ expression }}) over (
        partition by {{ partition_by }}
        order by {{ order_by }}
        rows between unbounded preceding and unbounded following
    ), ', '), '')
{%- endmacro %}

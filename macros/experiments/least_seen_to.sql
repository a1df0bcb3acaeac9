{# The id up to which int_experiment_outcomes has searched the log for every arm. #}
{% macro least_seen_to() -%}
    (
        select min(seen.seen_to)
        from (select {{ arm_seen_to() }} as seen_to from {{ ref('int_experiment_arms') }} as arms) as seen
    )
{%- endmacro %}

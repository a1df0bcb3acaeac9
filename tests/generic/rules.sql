{#- All rules of one table, in one pass over its rows. Returns one row per broken rule: its name and the number of rows
    (for `unique`: of keys) that break it.

    key              columns of the primary key: no two rows share it, and none of its columns is null
    not_null         other columns that are never null
    accepted_values  column: the texts that it may have
    conditions       name of the rule: an SQL condition; a row breaks it if the condition is false (not if it is null) -#}
{% test rules(model, key=[], not_null=[], accepted_values={}, conditions={}) %}

{%- set is_enforced = key and holds_key(model, key) -%}
{%- set breaks = {} -%}
{%- for column in ([] if is_enforced else key) + not_null -%}
    {%- do breaks.update({'not_null: ' ~ column: column ~ ' is null'}) -%}
{%- endfor -%}
{%- for column, values in accepted_values.items() -%}
    {%- do breaks.update({'accepted_values: ' ~ column: column ~ " not in ('" ~ values | join("', '") ~ "')"}) -%}
{%- endfor -%}
{%- for name, condition in conditions.items() -%}
    {%- do breaks.update({name: 'not (' ~ condition ~ ')'}) -%}
{%- endfor -%}

with {% if breaks -%}
counted as (
    select
    {%- for condition in breaks.values() %}
        sum(case when {{ condition }} then 1 else 0 end) as rule_{{ loop.index }}{{ ',' if not loop.last }}
    {%- endfor %}
    from {{ model }}
),

rules as (
    {%- for name in breaks %}
    select {{ loop.index }} as rule_number, '{{ name }}' as rule_name{{ ' union all' if not loop.last }}
    {%- endfor %}
),

broken as (
    select
        rules.rule_name,
        case rules.rule_number
        {%- for name in breaks %} when {{ loop.index }} then counted.rule_{{ loop.index }}{% endfor %} end as broken_rows
    from rules
    cross join counted
){% else -%}
broken as (
    select 'none' as rule_name, 0 as broken_rows
){% endif %}

select rule_name, broken_rows from broken where broken_rows > 0
{%- if key and not is_enforced %}
union all
select 'unique: {{ key | join(', ') }}' as rule_name, count(*) as broken_rows
from (select 1 as one from {{ model }} group by {{ key | join(', ') }} having count(*) > 1) as repeated
having count(*) > 0
{%- endif %}

{% endtest %}

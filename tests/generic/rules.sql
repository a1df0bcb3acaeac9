{#- All rules of one table, in one pass over its rows. Returns one row per broken rule: its name and the number of rows
    (for `unique`: of keys) that break it.

    key              columns of the primary key: no two rows share it, and none of its columns is null
    not_null         other columns that are never null
    accepted_values  column: the texts that it may have
    conditions       name of the rule: an SQL condition; a row breaks it if the condition is false (not if it is null) -#}
{% test rules(model, key=[], not_null=[], accepted_values={}, conditions={}) %}

{#- A key that the DDL does not hold is tested in the same pass: the rows are counted by key. -#}
{%- set is_grouped = key and not holds_key(model, key) -%}
{%- set breaks = {} -%}
{%- for column in (key if is_grouped else []) + not_null -%}
    {%- do breaks.update({'not_null: ' ~ column: column ~ ' is null'}) -%}
{%- endfor -%}
{%- for column, values in accepted_values.items() -%}
    {%- do breaks.update({'accepted_values: ' ~ column: column ~ " not in ('" ~ values | join("', '") ~ "')"}) -%}
{%- endfor -%}
{%- for name, condition in conditions.items() -%}
    {%- do breaks.update({name: 'not (' ~ condition ~ ')'}) -%}
{%- endfor -%}
{%- set names = breaks | list + (['unique: ' ~ key | join(', ')] if is_grouped else []) -%}

{% if names -%}
with counted as (
    select
    {%- for condition in breaks.values() %}
        sum(case when {{ condition }} then 1 else 0 end) as rule_{{ loop.index }},
    {%- endfor %}
        count(*) as copies
    from {{ model }}
    {%- if is_grouped %}
    group by {{ key | join(', ') }}
    {%- endif %}
),

summed as (
    select
    {%- for name in breaks %}
        sum(rule_{{ loop.index }}) as rule_{{ loop.index }},
    {%- endfor %}
        sum(case when copies > 1 then 1 else 0 end) as rule_{{ breaks | length + 1 }}
    from counted
),

rules as (
    {%- for name in names %}
    select {{ loop.index }} as rule_number, '{{ name }}' as rule_name{{ ' union all' if not loop.last }}
    {%- endfor %}
),

broken as (
    select
        rules.rule_name,
        case rules.rule_number
        {%- for name in names %} when {{ loop.index }} then summed.rule_{{ loop.index }}{% endfor %} end as broken_rows
    from rules
    cross join summed
)

select rule_name, broken_rows from broken where broken_rows > 0
{%- else -%}
select 'none' as rule_name, 0 as broken_rows where false
{%- endif %}

{% endtest %}

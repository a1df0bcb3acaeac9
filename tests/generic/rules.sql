{#- All rules of one table, in one pass over its rows. Returns one row per broken rule: its name and the number of rows
    (for `unique`: of keys) that break it.

    key              columns of the primary key: no two rows share it, and none of its columns is null
    not_null         other columns that are never null
    accepted_values  column: the values that it may have, texts or numbers; a null breaks no such rule
    conditions       name of the rule: an SQL condition; a row breaks it if the condition is false (not if it is null)

    The CTEs have names that no table has: on SQLite a CTE would hide the table of its name. -#}
{% test rules(model, key=[], not_null=[], accepted_values={}, conditions={}) %}

{#- A key that the DDL does not hold is tested in the same pass: the rows are counted by key. -#}
{%- set is_grouped = key and not holds_key(model, key) -%}
{%- set breaks = {} -%}
{%- for column in (key if is_grouped else []) + not_null -%}
    {%- do breaks.update({'not_null: ' ~ column: column ~ ' is null'}) -%}
{%- endfor -%}
{%- for column, values in accepted_values.items() -%}
    {%- set literals = [] -%}
    {%- for value in values -%}
        {%- do literals.append(value if value is number else "'" ~ dbt.escape_single_quotes(value) ~ "'") -%}
    {%- endfor -%}
    {%- do breaks.update({'accepted_values: ' ~ column: column ~ ' not in (' ~ literals | join(', ') ~ ')'}) -%}
{%- endfor -%}
{%- for name, condition in conditions.items() -%}
    {%- do breaks.update({name: 'not (' ~ condition ~ ')'}) -%}
{%- endfor -%}
{%- set names = breaks | list + (['unique: ' ~ key | join(', ')] if is_grouped else []) -%}

{% if names -%}
with counted_rules as (
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

summed_rules as (
    select
    {%- for name in breaks %}
        sum(rule_{{ loop.index }}) as rule_{{ loop.index }},
    {%- endfor %}
        sum(case when copies > 1 then 1 else 0 end) as rule_{{ breaks | length + 1 }}
    from counted_rules
),

named_rules as (
    {%- for name in names %}
    select {{ loop.index }} as rule_number, '{{ dbt.escape_single_quotes(name) }}' as rule_name
    {{- ' union all' if not loop.last }}
    {%- endfor %}
),

broken_rules as (
    select
        named_rules.rule_name,
        case named_rules.rule_number
        {%- for name in names %} when {{ loop.index }} then summed_rules.rule_{{ loop.index }}{% endfor %} end as broken_rows
    from named_rules
    cross join summed_rules
)

select rule_name, broken_rows from broken_rules where broken_rows > 0
{%- else -%}
select 'none' as rule_name, 0 as broken_rows where 1 = 0
{%- endif %}

{% endtest %}

{#- All rules of one table, in one pass over its rows. Returns one row per broken rule: its name and the number of rows
    (for `unique`: of keys) that break it.

    key              columns of the primary key: no two rows share it, and none of its columns is null
    not_null         other columns that are never null
    accepted_values  column: the values that it may have, texts or numbers; a null breaks no such rule
    conditions       name of the rule: an SQL condition; a row breaks it if the condition is false (not if it is null)

    The CTEs have names that no table has: on SQLite a CTE would hide the table of its name. -#}
{% test rules(model, key=[], not_null=[], accepted_values={}, conditions={}) %}

{%- set is_enforced = key and holds_key(model, key) -%}
{%- set breaks = {} -%}
{%- for column in ([] if is_enforced else key) + not_null -%}
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

with {% if breaks -%}
counted_rules as (
    select
    {%- for condition in breaks.values() %}
        sum(case when {{ condition }} then 1 else 0 end) as rule_{{ loop.index }}{{ ',' if not loop.last }}
    {%- endfor %}
    from {{ model }}
),

named_rules as (
    {%- for name in breaks %}
    select {{ loop.index }} as rule_number, '{{ dbt.escape_single_quotes(name) }}' as rule_name
    {{- ' union all' if not loop.last }}
    {%- endfor %}
),

{% endif -%}
broken_rules as (
    {% if breaks -%}
    select
        named_rules.rule_name,
        case named_rules.rule_number
        {%- for name in breaks %} when {{ loop.index }} then counted_rules.rule_{{ loop.index }}{% endfor %} end as broken_rows
    from named_rules
    cross join counted_rules
    {% else -%}
    select 'none' as rule_name, 0 as broken_rows
    {% endif -%}
    {% if key and not is_enforced -%}
    union all
    select 'unique: {{ key | join(', ') }}' as rule_name, count(*) as broken_rows
    from (select 1 as one from {{ model }} group by {{ key | join(', ') }} having count(*) > 1) as repeated_keys
    {% endif -%}
)

select rule_name, broken_rows from broken_rules where broken_rows > 0

{% endtest %}

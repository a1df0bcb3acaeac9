{# Scalar expressions over money and text that are written differently on each engine. #}


{# US dollars, a double, as a whole number of nano-dollars, half rounded up; null stays null. Integer sums are exact,
   and the same on every engine. Example: to_nano_usd('0.1') is 100000000. #}
{% macro to_nano_usd(cost_usd) -%}
    {{ return(adapter.dispatch('to_nano_usd')(cost_usd)) }}
{%- endmacro %}

{% macro default__to_nano_usd(cost_usd) -%}
    cast(floor({{ cost_usd }} * 1e9 + 0.5e0) as bigint)
{%- endmacro %}

{% macro sqlite__to_nano_usd(cost_usd) -%}
    cast(floor({{ cost_usd }} * 1e9 + 0.5e0) as integer)
{%- endmacro %}


{# The texts of a partition as one text, in order, separated by a comma and a space. Nulls are left out; if all are
   null, the result is null. It is a window function, because a plain aggregate has no fixed order on some engines.
   Example: listed('model_id', partition_by='task_type', order_by='rank'). #}
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


{# A text of one backslash. Within quotes some engines read a backslash as itself, and others as an escape of the next
   character. Example: replace(model_id, backslash(), '') is the name without backslashes. #}
{% macro backslash() -%}
    {{ return(adapter.dispatch('backslash')()) }}
{%- endmacro %}

{% macro default__backslash() -%}
    chr(92)
{%- endmacro %}

{% macro sqlite__backslash() -%}
    char(92)
{%- endmacro %}


{# True if a text has characters that control a terminal, break a line or change the direction of writing: those that
   NAME_PATTERN in model_outcomes/federation/format.py refuses. #}
{% macro has_control_characters(text) -%}
    {{ return(adapter.dispatch('has_control_characters')(text)) }}
{%- endmacro %}

{% macro default__has_control_characters(text) -%}
    regexp_replace({{ text }}, '[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]', '') <> {{ text }}
{%- endmacro %}

{% macro duckdb__has_control_characters(text) -%}
    regexp_matches({{ text }}, '[\x{0}-\x{1f}\x{7f}-\x{9f}\x{2028}-\x{202e}\x{2066}-\x{2069}]')
{%- endmacro %}

{# Glob ends a text at its first character 0. No name in the log has one. #}
{% macro sqlite__has_control_characters(text) -%}
    {{ text }} glob '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159)
        || char(8232) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*'
{%- endmacro %}

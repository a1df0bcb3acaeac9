{# 1 if a name, a text that is not null, may be exported, else 0: no path, no space at either end, at most 200
   characters, no control characters. These are the rules of the schema of federated_stats.
   Example: is_publishable_name('model_id') is 1 for openhub/cirrus-mini, 0 for /models/cirrus.gguf. #}
{% macro is_publishable_name(name) -%}
    (case
        when {{ name }} like '/%' or {{ name }} like '~%' or {{ name }} like '.%' then 0
        when {{ name }} like '%/' or {{ name }} like '%//%' or {{ name }} like '%/.%' or {{ name }} like '_:/%' then 0
        when replace({{ name }}, {{ backslash() }}, '') <> {{ name }} then 0
        when {{ name }} like ' %' or {{ name }} like '% ' or length({{ name }}) > 200 then 0
        when {{ has_control_characters(name) }} then 0
        else 1
    end)
{%- endmacro %}


{# True if a text matches a pattern, in which `*` is any text, also none; upper and lower case are equal. LIKE exists on
   every engine; its own wildcards are escaped. Example: matches_pattern("'openai.RateLimitError'", "'*rate*limit*'"). #}
{% macro matches_pattern(text, pattern) -%}
    lower({{ text }}) like
    replace(replace(replace(replace(lower({{ pattern }}), '!', '!!'), '%', '!%'), '_', '!_'), '*', '%') escape '!'
{%- endmacro %}

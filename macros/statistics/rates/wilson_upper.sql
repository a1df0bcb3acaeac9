{#- 1 minus the lower end of the failure rate: exactly 1 if all trials succeeded. -#}
{% macro wilson_upper(successes, trials) -%}
    (1 - {{ wilson_lower('(' ~ trials ~ ') - (' ~ successes ~ ')', trials) }})
{%- endmacro %}

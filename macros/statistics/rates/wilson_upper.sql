{#- The failure rate's lower end, turned round: exactly 1 where everything succeeded. -#}
{% macro wilson_upper(successes, trials) -%}
    (1 - {{ wilson_lower('(' ~ trials ~ ') - (' ~ successes ~ ')', trials) }})
{%- endmacro %}

{#-
    Probability that k tries of a task all succeed (pass^k), estimated without bias from n tries of it; null with fewer
    than k tries.

    Formula: C(c, k)/C(n, k), the share of the sets of k tries that have only successes
    successes  c, successful tries of the task
    tries      n
    k          a number, not an expression
    Example: pass_power('3', '5', 2) is 0.3
    Source: Yao et al. (2024), arXiv 2406.12045.
-#}
{% macro pass_power(successes, tries, k) -%}
    {%- set numerators, denominators = [], [] -%}
    {%- for number in range(k) -%}
        {%- do numerators.append('(' ~ double(successes) ~ ' - ' ~ number ~ ')') -%}
        {%- do denominators.append('(' ~ double(tries) ~ ' - ' ~ number ~ ')') -%}
    {%- endfor -%}
    (case
        when {{ tries }} < {{ k }} then null
        when {{ successes }} < {{ k }} then 0e0
        else {{ numerators | join(' * ') }} / ({{ denominators | join(' * ') }})
    end)
{%- endmacro %}

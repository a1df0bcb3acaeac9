{#-
    Probability that at least one of k tries of a task succeeds (pass@k), estimated without bias from n tries of it;
    null with fewer than k tries.

    Formula: 1 - C(n - c, k)/C(n, k), the share of the sets of k tries that have a success
    successes  c, successful tries of the task
    tries      n
    k          a number, not an expression
    Example: pass_at('2', '5', 2) is 0.7
    Source: Chen et al. (2021), arXiv 2107.03374.
-#}
{% macro pass_at(successes, tries, k) -%}
    (1 - {{ pass_power(tries ~ ' - ' ~ successes, tries, k) }})
{%- endmacro %}

{#-
    Evidence against "no difference", valid at every look. It reaches 1/alpha exactly when the interval of
    sequential_half_width excludes 0. Null if squared_z or trials is null. Logarithms are added and raised once, so
    that very strong evidence gives a large number, at most exp(700), and no error.

    Formula: sqrt(r/(n + r)) exp(z2 n / (2 (n + r))), r from sequential_tuning
    squared_z  z2, squared difference divided by its squared error
    trials     n, trials of both arms
    Example: e_value('9', '600') is 17.17343771315637
    Source: Waudby-Smith et al., arXiv 2103.06476.
-#}
{% macro e_value(squared_z, trials) -%}
    {%- set n, r = double(trials), sequential_tuning() -%}
    {{ bounded_exp(
        '(' ~ double(squared_z) ~ ' * ' ~ n ~ ' / (' ~ n ~ ' + ' ~ r ~ ')'
        ~ ' - ln((' ~ n ~ ' + ' ~ r ~ ') / ' ~ r ~ ')) / 2'
    ) }}
{%- endmacro %}

{#-
    Half the width of the anytime-valid interval of a difference: difference - and + this contains the true value at
    every look, with probability 1 - alpha. Null without trials or without error. The normal-mixture boundary.

    Formula: sqrt(e2 (n + r)/n ln((n + r)/(r alpha^2))), r from sequential_tuning
    squared_error  e2, squared standard error of the difference
    trials         n, trials of both arms
    alpha          error rate as SQL, if it is not the var alpha: for example that of one among K - 1 pairs. It
                   changes only the logarithm; the tuning still uses the var.
    Example: sequential_half_width('0.0012', '600') is 0.10603056757213002
    Source: Waudby-Smith et al., arXiv 2103.06476.
-#}
{% macro sequential_half_width(squared_error, trials, alpha=none) -%}
    {%- set n, r = double(trials), sequential_tuning() -%}
    {%- set level = double(alpha or var('alpha')) -%}
    sqrt(
        nullif({{ double(squared_error) }}, 0)
        * ({{ n }} + {{ r }}) / nullif({{ n }}, 0)
        * ln(({{ n }} + {{ r }}) / ({{ r }} * {{ level }} * {{ level }}))
    )
{%- endmacro %}

{#-
    Lower end of the interval of a pooled rate r, 0..1, at the level 1 - alpha. It is computed on the log odds and
    transformed back, so that it stays inside 0..1. For one project it is its Wilson interval, and if all trials
    succeeded or all failed, Wilson's with the t quantile.

    Formula: r / (r + (1 - r) exp(t error/(r (1 - r))))
    projects  K, number of pooled projects
    rate      r, the pooled rate
    error     its standard error; for a new project, also with the variance between projects
    trials    n, effective number of trials; fewer than all with noise
    quantile  t, t quantile with K - 1 degrees of freedom; null for one project
    Example: pooled_lower('3', '0.84', '0.05', '750', '4.302652729749464') is 0.5143807369309236
-#}
{% macro pooled_lower(projects, rate, error, trials, quantile) -%}
    {%- set r, n, t = double(rate), double(trials), double(quantile) -%}
    (case
        when {{ projects }} = 1 then {{ wilson_lower('(' ~ r ~ ' * ' ~ n ~ ')', n) }}
        when {{ r }} <= 0 then 0e0
        when {{ r }} >= 1 then {{ ratio(n, n ~ ' + ' ~ t ~ ' * ' ~ t) }}
        else {{ r }} / (
            {{ r }} + (1 - {{ r }}) * {{ bounded_exp(ratio(t ~ ' * ' ~ double(error), r ~ ' * (1 - ' ~ r ~ ')')) }}
        )
    end)
{%- endmacro %}

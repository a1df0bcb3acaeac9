{#-
    Upper end of the interval of a pooled rate r, 0..1, at the level 1 - alpha: 1 minus the lower end of the rate of
    failures.

    Formula: 1 - pooled_lower(K, 1 - r, error, n, t)
    projects  K, number of pooled projects
    rate      r, the pooled rate
    error     its standard error; for a new project, also with the variance between projects
    trials    n, effective number of trials; fewer than all with noise
    quantile  t, t quantile with K - 1 degrees of freedom; null for one project
    Example: pooled_upper('3', '0.84', '0.05', '750', '4.302652729749464') is 0.96299222584995
-#}
{% macro pooled_upper(projects, rate, error, trials, quantile) -%}
    (1 - {{ pooled_lower(projects, '(1 - ' ~ rate ~ ')', error, trials, quantile) }})
{%- endmacro %}

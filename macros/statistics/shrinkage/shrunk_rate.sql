{#-
    Success rate, 0..1, moved toward a prior rate; the fewer the trials, the further. Null without trials: such a
    cell has no rate, not even that of the other models.

    Formula: (k + M m)/(n + M)
    successes   k, successful trials
    trials      n, successes plus the failures that count against the model
    prior_rate  m, the expected rate of a model without trials
    strength    M, the number of trials that the prior rate counts as
    Example: shrunk_rate('9', '10', '0.5', '20') is 0.6333333333333333
-#}
{% macro shrunk_rate(successes, trials, prior_rate, strength) -%}
    (case
        when {{ trials }} > 0
            then {{ ratio(double(successes) ~ ' + ' ~ double(strength) ~ ' * ' ~ double(prior_rate), double(trials) ~ ' + ' ~ double(strength)) }}
    end)
{%- endmacro %}

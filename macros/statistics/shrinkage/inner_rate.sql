{#-
    The rate, but at least half a trial away from 0 and 1: that all trials succeeded so far does not prove that all
    will. No other rate of so many trials is changed, and none without trials.

    Formula: min(max(rate, 0.5/n), 1 - 0.5/n)
    rate    0 to 1
    trials  n, number of trials behind the rate
    Example: inner_rate('1', '20') is 0.975
-#}
{% macro inner_rate(rate, trials) -%}
    {%- set half = ratio('0.5', trials) -%}
    {{ at_most(at_least(double(rate), half), '(1 - ' ~ half ~ ')') }}
{%- endmacro %}

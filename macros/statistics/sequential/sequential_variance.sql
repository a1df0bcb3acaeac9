{#-
    Variance of one trial of an arm; null without trials. The default mode adds two successes and two failures, so
    that a lucky start does not look like certainty. gbstats returns nothing if an arm has no variance, and so does
    its mode here.

    Formula: sequential_mode default: (k + 2)(n - k + 2)/(n + 4)^2; gbstats: k (n - k)/n^2
    successes  k, successful trials
    trials     n, successes plus the failures that count against the model
    Example: sequential_variance('45', '50') is 0.11282578875171467
-#}
{% macro sequential_variance(successes, trials) -%}
    {%- set k, n = double(successes), double(trials) -%}
    {%- if var('sequential_mode') == 'default' -%}
        (case when {{ n }} > 0 then ({{ k }} + 2) * ({{ n }} - {{ k }} + 2) / (({{ n }} + 4) * ({{ n }} + 4)) end)
    {%- elif var('sequential_mode') == 'gbstats' -%}
        (nullif({{ k }} * ({{ n }} - {{ k }}), 0) / nullif({{ n }} * {{ n }}, 0))
    {%- else -%}
        {{ exceptions.raise_compiler_error("sequential_mode is 'default' or 'gbstats', not '" ~ var('sequential_mode') ~ "'") }}
    {%- endif -%}
{%- endmacro %}

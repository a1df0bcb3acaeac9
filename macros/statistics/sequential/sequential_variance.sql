{#-
    The default mode adds two successes and two failures, so that a lucky start does not look like certainty. gbstats
    returns nothing if an arm has no variance, and so does its mode here.
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

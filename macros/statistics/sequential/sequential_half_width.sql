{#- The normal-mixture boundary of Waudby-Smith et al., arXiv 2103.06476: it is valid at every look. -#}
{% macro sequential_half_width(squared_error, trials, alpha=none) -%}
    {%- set n, r = double(trials), sequential_tuning() -%}
    {%- set level = double(alpha or var('alpha')) -%}
    sqrt(
        nullif({{ double(squared_error) }}, 0)
        * ({{ n }} + {{ r }}) / nullif({{ n }}, 0)
        * ln(({{ n }} + {{ r }}) / ({{ r }} * {{ level }} * {{ level }}))
    )
{%- endmacro %}

{#- The quotient form of centre - half: no digits cancel, and it is exactly 0 if no trial succeeded. -#}
{% macro wilson_lower(successes, trials) -%}
    {%- set k, n, z = double(successes), double(trials), double(var('z')) -%}
    (
        {{ k }} * {{ k }} / nullif({{ n }}, 0)
        / (
            {{ k }} + {{ z }} * {{ z }} / 2
            + {{ z }} * sqrt({{ k }} * ({{ n }} - {{ k }}) / nullif({{ n }}, 0) + {{ z }} * {{ z }} / 4)
        )
    )
{%- endmacro %}

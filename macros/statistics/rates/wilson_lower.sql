{#- The quotient form of centre - half: it cancels nothing, and is exactly 0 where nothing succeeded. -#}
{% macro wilson_lower(successes, trials) -%}
    {%- set k, n, z = double(successes), double(trials), double(z()) -%}
    (
        {{ k }} * {{ k }} / nullif({{ n }}, 0)
        / (
            {{ k }} + {{ z }} * {{ z }} / 2
            + {{ z }} * sqrt({{ k }} * ({{ n }} - {{ k }}) / nullif({{ n }}, 0) + {{ z }} * {{ z }} / 4)
        )
    )
{%- endmacro %}

{#-
    Lower end of the Wilson score interval of a success rate, 0..1, at the level 1 - alpha; null without trials.
    This is the quotient form of centre - half: no digits cancel, and it is exactly 0 if no trial succeeded.

    Formula: (k^2/n) / (k + z^2/2 + z sqrt(k (n - k)/n + z^2/4))
    successes  k, successful trials
    trials     n, successes plus the failures that count against the model
    Example: wilson_lower('45', '50') is 0.7863976856252034
    Source: Wilson (1927).
-#}
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

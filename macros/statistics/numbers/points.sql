{#-
    The size of a difference of rates in percentage points with one decimal, as text; null if the difference is null.

    Formula: abs(difference) 100, rounded half up
    difference  -1 to 1
    Example: points('-0.0625') is 6.3
-#}
{% macro points(difference) -%}
    {%- set tenths = 'floor(abs(' ~ double(difference) ~ ') * 1000 + 0.5e0)' -%}
    (cast(cast(floor({{ tenths }} / 10) as bigint) as {{ text_type() }}) || '.'
    || cast(cast({{ tenths }} - 10 * floor({{ tenths }} / 10) as bigint) as {{ text_type() }}))
{%- endmacro %}

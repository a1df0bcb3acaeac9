{#- The inverse of to_nano_usd(): sums are kept as integers in two parts (see rest_of) and divided once, at the end. -#}
{% macro to_usd(rest, carry) -%}
    (case
        when abs(coalesce({{ carry }}, 0)) < 40000000
            then {{ double(rest ~ ' + coalesce(' ~ carry ~ ', 0) * 100000000000') }} / 1e9
        else {{ double(carry) }} * 1e2 + {{ double(rest) }} / 1e9
    end)
{%- endmacro %}

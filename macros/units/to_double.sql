{#- A sum in two parts (see rest_of) as one double. -#}
{% macro to_double(rest, carry) -%}
    (case
        when abs(coalesce({{ carry }}, 0)) < 40000000
            then {{ double(rest ~ ' + coalesce(' ~ carry ~ ', 0) * 100000000000') }}
        else {{ double(carry) }} * 1e11 + {{ double(rest) }}
    end)
{%- endmacro %}

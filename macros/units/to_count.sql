{#- A sum in two parts (see rest_of) as one integer. Above 64 bits it is 2^63 - 1. -#}
{% macro to_count(rest, carry) -%}
    (case
        when {{ to_double(rest, carry) }} < 9.223372036854e18
            then {{ rest }} + coalesce({{ carry }}, 0) * 100000000000
        when {{ rest }} is not null then 9223372036854775807
    end)
{%- endmacro %}

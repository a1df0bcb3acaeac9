{# Sums that may not fit into 64 bits. Ten million outcomes of $1,000,000 are 10^22 nano-dollars. So the dbt models keep
   two sums, of rest_of() and of carry_of() each number; to_usd(), to_count() and to_double() join them. #}


{# The number, an integer of at least 0, minus its carry_of() units of 10^11; null stays null.
   Example: rest_of('250000000001') is 50000000001. #}
{% macro rest_of(number) -%}
    ({{ number }} % 100000000000)
{%- endmacro %}


{# The number of whole units of 10^11 in a number, an integer of at least 0; null stays null.
   Example: carry_of('250000000001') is 2. #}
{% macro carry_of(number) -%}
    cast(({{ number }} - {{ number }} % 100000000000) / 100000000000 as bigint)
{%- endmacro %}


{# A sum of nano-dollars (see to_nano_usd) in two parts, divided once, as US dollars, a double. Null stays null; a carry
   that is null counts as 0. Example: to_usd('1500000000', '2') is 201.5. #}
{% macro to_usd(rest, carry) -%}
    (case
        when abs(coalesce({{ carry }}, 0)) < 40000000
            then {{ double(rest ~ ' + coalesce(' ~ carry ~ ', 0) * 100000000000') }} / 1e9
        else {{ double(carry) }} * 1e2 + {{ double(rest) }} / 1e9
    end)
{%- endmacro %}


{# A sum in two parts as a double. Null stays null; a carry that is null counts as 0.
   Example: to_double('7', '1') is 100000000007.0. #}
{% macro to_double(rest, carry) -%}
    (case
        when abs(coalesce({{ carry }}, 0)) < 40000000
            then {{ double(rest ~ ' + coalesce(' ~ carry ~ ', 0) * 100000000000') }}
        else {{ double(carry) }} * 1e11 + {{ double(rest) }}
    end)
{%- endmacro %}


{# A sum in two parts as an integer, or 2^63 - 1 if it is greater. Null stays null; a carry that is null counts as 0.
   Example: to_count('7', '1') is 100000000007. #}
{% macro to_count(rest, carry) -%}
    (case
        when {{ to_double(rest, carry) }} < 9.223372036854e18
            then {{ rest }} + coalesce({{ carry }}, 0) * 100000000000
        when {{ rest }} is not null then 9223372036854775807
    end)
{%- endmacro %}

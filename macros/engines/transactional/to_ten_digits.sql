{# Rounds a double to nine decimals or, from 1 on, to ten digits. #}
{% macro to_ten_digits(value) -%}
    {{ return(adapter.dispatch('to_ten_digits')(value)) }}
{%- endmacro %}

{% macro default__to_ten_digits(value) -%}
    case
        when abs({{ value }}) < 1 then round({{ value }}, 9)
        else cast(format('{:.9e}', {{ value }}) as double)
    end
{%- endmacro %}

{% macro postgres__to_ten_digits(value) -%}
    case
        when abs({{ value }}) < 1 then cast(round(cast({{ value }} as numeric), 9) as double precision)
        else cast(to_char({{ value }}, '9.999999999EEEE') as double precision)
    end
{%- endmacro %}

{% macro spark__to_ten_digits(value) -%}
    case
        when abs({{ value }}) < 1 then round({{ value }}, 9)
        else cast(format_string('%.9e', {{ value }}) as double)
    end
{%- endmacro %}

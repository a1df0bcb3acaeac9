{# The text of a time without the digits after its milliseconds. SQLite rounds them, so that 23:59:59.9996 would count
   on the next day. Position 20 comes after the seconds; an offset may follow the digits. #}
{% macro to_millisecond(timestamp_text) -%}
    case
        when length({{ timestamp_text }}) > 23 and substr({{ timestamp_text }}, 20, 1) = '.'
            then substr({{ timestamp_text }}, 1, 23) || ltrim(substr({{ timestamp_text }}, 24), '0123456789')
        else {{ timestamp_text }}
    end
{%- endmacro %}

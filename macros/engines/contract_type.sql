{# Contracts say text, bigint and double; this macro translates them into the engine's own names. #}
{% macro contract_type(data_type) -%}
    {{ return({'text': text_type(), 'double': double_type()}.get(data_type | lower, data_type)) }}
{%- endmacro %}

{# A contract's data_type in the engine's own words: contracts say text, bigint and double. #}
{% macro contract_type(data_type) -%}
    {{ return({'text': text_type(), 'double': double_type()}.get(data_type | lower, data_type)) }}
{%- endmacro %}

{#- The lower limit keeps a product over a few dozen models within a double. -#}
{% macro log_probability(probability) -%}
    ln({{ at_least(double(probability), double('1e-300')) }})
{%- endmacro %}

{#-
    Logarithm of a probability, or of 1e-300 if the probability is smaller: a product over a few dozen models then
    stays within a double. Use bounded_exp on sums of it.

    Formula: ln(max(probability, 1e-300))
    Example: log_probability('0.25') is -1.3862943611198906
-#}
{% macro log_probability(probability) -%}
    ln({{ at_least(double(probability), double('1e-300')) }})
{%- endmacro %}

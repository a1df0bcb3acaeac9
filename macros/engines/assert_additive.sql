{# Without this check, a misspelt column would be summed and nobody would notice. #}
{% macro assert_additive() %}
    {% set keys, greatest = config.require('unique_key'), config.require('maximum_columns') %}
    {% if not config.get('contract').enforced %}
        {% do exceptions.raise_compiler_error(model.name ~ ': additive needs an enforced contract') %}
    {% endif %}
    {% if config.require('watermark') not in greatest %}
        {% do exceptions.raise_compiler_error(model.name ~ ': watermark must be one of maximum_columns') %}
    {% endif %}
    {% for name in keys + greatest + config.get('minimum_columns', []) if name not in model.columns %}
        {% do exceptions.raise_compiler_error(model.name ~ ': no column ' ~ name) %}
    {% endfor %}
{% endmacro %}

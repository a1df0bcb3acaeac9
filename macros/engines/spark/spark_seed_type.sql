{% macro spark_seed_type(type) %}
    {% do return({'text': 'string', 'double precision': 'double'}.get(type | lower, type)) %}
{% endmacro %}

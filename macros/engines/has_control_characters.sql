{#-
    The characters that NAME_PATTERN in model_outcomes/federation/format.py refuses: they control a terminal or change
    the direction of text.
-#}
{% macro has_control_characters(text) -%}
    {{ return(adapter.dispatch('has_control_characters')(text)) }}
{%- endmacro %}

{% macro default__has_control_characters(text) -%}
    regexp_replace({{ text }}, '[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]', '') <> {{ text }}
{%- endmacro %}

{% macro duckdb__has_control_characters(text) -%}
    regexp_matches({{ text }}, '[\x{0}-\x{1f}\x{7f}-\x{9f}\x{2028}-\x{202e}\x{2066}-\x{2069}]')
{%- endmacro %}

{# Glob ends a text at its first character 0. No name in the log has one. #}
{% macro sqlite__has_control_characters(text) -%}
    {{ text }} glob '*[' || char(1) || '-' || char(31) || char(127) || '-' || char(159)
        || char(8232) || '-' || char(8238) || char(8294) || '-' || char(8297) || ']*'
{%- endmacro %}

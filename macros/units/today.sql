{#- Days before it are closed: if outcomes are recorded as they happen, no more outcomes are added to these days. -#}
{% macro today() -%}
    '{{ ((var('now') or run_started_at.strftime('%Y-%m-%d')) | string)[:10] }}'
{%- endmacro %}

{#- Days before it are closed: no outcome that is recorded when it happens comes to them any more. -#}
{% macro today() -%}
    '{{ (var('now') or run_started_at.strftime('%Y-%m-%d'))[:10] }}'
{%- endmacro %}

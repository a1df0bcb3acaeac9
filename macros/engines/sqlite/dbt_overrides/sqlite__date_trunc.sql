{% macro sqlite__date_trunc(datepart, date) -%}
    {%- set steps = {
        'year': "'start of year'",
        'quarter': "'start of month', '-' || ((strftime('%m', " ~ date ~ ") - 1) % 3) || ' months'",
        'month': "'start of month'",
        'week': "'start of day', '-6 days', 'weekday 1'",
        'day': "'start of day'",
    } -%}
    {%- set formats = {'hour': '%H:00:00', 'minute': '%H:%M:00', 'second': '%H:%M:%S'} -%}
    {%- if datepart in steps -%}
        strftime('%Y-%m-%d %H:%M:%f', {{ date }}, {{ steps[datepart] }})
    {%- else -%}
        strftime('%Y-%m-%d {{ formats[datepart] }}.000', {{ date }})
    {%- endif -%}
{%- endmacro %}

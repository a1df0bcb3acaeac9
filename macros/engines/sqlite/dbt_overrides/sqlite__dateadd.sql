{% macro sqlite__dateadd(datepart, interval, from_date_or_timestamp) -%}
    {%- set days, months = {'week': 7}, {'quarter': 3} -%}
    {%- set factor = days.get(datepart, months.get(datepart, 1)) -%}
    {%- set unit = 'day' if datepart in days else 'month' if datepart in months else datepart -%}
    strftime('%Y-%m-%d %H:%M:%f', {{ from_date_or_timestamp }}, (({{ interval }}) * {{ factor }}) || ' {{ unit }}s')
{%- endmacro %}

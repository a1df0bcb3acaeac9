{# Counts the boundaries crossed, as dbt's other adapters do: 23:59 and 00:01 are one day apart. #}
{% macro sqlite__datediff(first_date, second_date, datepart) -%}
    {%- set seconds = {'second': 1, 'minute': 60, 'hour': 3600, 'day': 86400, 'week': 604800} -%}
    {%- set months = {'month': 1, 'quarter': 3, 'year': 12} -%}
    {%- set counts = [] -%}
    {%- for date in (second_date, first_date) -%}
        {%- set start = dbt.date_trunc(datepart, date) -%}
        {%- if datepart in months -%}
            {%- do counts.append("(strftime('%Y', " ~ start ~ ") * 12 + strftime('%m', " ~ start ~ '))') -%}
        {%- else -%}
            {%- do counts.append("strftime('%s', " ~ start ~ ')') -%}
        {%- endif -%}
    {%- endfor -%}
    (({{ counts | join(' - ') }}) / {{ seconds.get(datepart, months.get(datepart)) }})
{%- endmacro %}

{# SQLite has no dates and dbt wants real ones. A row dated more than a day ahead would hide that nothing comes in any
   more, so the newest believable one counts. It is looked for from the top of the column's index, if there is one,
   and among the two days around it, where rows of other offsets may be later. #}
{% macro sqlite__collect_freshness(source, loaded_at_field, filter) %}
    {% set is_believable = utc_timestamp(loaded_at_field) ~ " <= strftime('%Y-%m-%d %H:%M:%f', 'now', '+1 day')" %}
    {% set loaded_at_query %}
        select max({{ utc_timestamp(loaded_at_field) }})
        from {{ source }}
        where {{ is_believable }}
            and {{ filter or 'true' }}
            and {{ loaded_at_field }} >= (
                select date(substr({{ loaded_at_field }}, 1, 10), '-2 days')
                from {{ source }}
                where {{ is_believable }} and {{ filter or 'true' }}
                order by {{ loaded_at_field }} desc
                limit 1
            )
    {% endset %}
    {% do return(collect_freshness_custom_sql(source, loaded_at_query)) %}
{% endmacro %}

{# SQLite has no dates, but dbt needs real ones. The newest plausible row counts, because a row dated more than a day
   ahead would hide that no outcomes come in any more. The query starts at the top of the column's index, if there is
   one, and looks at the two days around that row, because rows with other offsets may be later. #}
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

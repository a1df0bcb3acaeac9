{% macro sqlite_comparison(staged, compared, key, columns) %}
    {% set matches = [] %}
    {% for name in key %}
        {% do matches.append('staged.' ~ adapter.quote(name) ~ ' = standing.' ~ adapter.quote(name)) %}
    {% endfor %}
    create temporary table {{ adapter.quote(compared.identifier) }} as
    select staged.rowid as staged_row, standing.rowid as standing_row
    from {{ staged }} as staged
    left join {{ this }} as standing on {{ matches | join(' and ') }}
    where standing.rowid is null
    {%- for name in columns if name not in key %}
        or staged.{{ adapter.quote(name) }} is not standing.{{ adapter.quote(name) }}
    {%- endfor %}
    union all
    select null as staged_row, standing.rowid as standing_row
    from {{ this }} as standing
    where not exists (select 1 from {{ staged }} as staged where {{ matches | join(' and ') }})
{% endmacro %}

{#- A key of several columns: no two rows have the same values in all of them, and none is null. -#}
{% test unique_combination(model, columns) %}

{% if holds_key(model, columns) %}

-- The table's own DDL already enforces the key.
select 1 as broken_key
where false

{% else %}

select {{ columns | join(', ') }}
from {{ model }}
group by {{ columns | join(', ') }}
having
    count(*) > 1
    {%- for column in columns %}
    or {{ column }} is null
    {%- endfor %}

{% endif %}

{% endtest %}

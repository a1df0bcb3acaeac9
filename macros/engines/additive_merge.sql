{# Sums, minima and maxima handle nulls as SQL's own aggregates do: null loses against every value. #}
{% macro additive_merge(staged, columns, guard='true', least_of='least', greatest_of='greatest') %}
    {% set least = config.get('minimum_columns', []) %}
    {% set greatest = config.get('maximum_columns', []) %}
    {% set keys = config.get('unique_key') %}
    insert into {{ this }} as standing ({{ columns }})
    select {{ columns }} from {{ staged }}
    where {{ guard }}
    on conflict ({{ keys | join(', ') }}) do update set
    {%- for name in model.columns if name not in keys %}
        {%- set old, new = 'standing.' ~ adapter.quote(name), 'excluded.' ~ adapter.quote(name) %}
        {{ adapter.quote(name) }} =
        {%- if name in least %} {{ least_of }}(coalesce({{ old }}, {{ new }}), coalesce({{ new }}, {{ old }}))
        {%- elif name in greatest %} {{ greatest_of }}(coalesce({{ old }}, {{ new }}), coalesce({{ new }}, {{ old }}))
        {%- else %} coalesce({{ old }} + {{ new }}, {{ old }}, {{ new }})
        {%- endif %}
        {{- ',' if not loop.last }}
    {%- endfor %}
{% endmacro %}

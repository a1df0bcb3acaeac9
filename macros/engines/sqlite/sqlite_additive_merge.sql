{# Sums, minima and maxima as SQL's own aggregates take them: a null never wins. The guard in the where makes a delta
   void when another build has moved the watermark since it was computed. #}
{% macro sqlite_additive_merge(staged, watermark, computed_at) %}
    {% set least = config.get('minimum_columns', []) %}
    {% set greatest = config.get('maximum_columns', []) %}
    {% set keys = config.get('unique_key') %}
    {% set columns = sqlite_column_list(staged) %}
    insert into {{ this }} as standing ({{ columns }})
    select {{ columns }} from {{ staged }}
    where (select coalesce(max({{ watermark }}), 0) from {{ this }}) = (select watermark from {{ computed_at }})
    on conflict ({{ keys | join(', ') }}) do update set
    {%- for name in model.columns if name not in keys %}
        {%- set old, new = 'standing.' ~ adapter.quote(name), 'excluded.' ~ adapter.quote(name) %}
        {{ adapter.quote(name) }} =
        {%- if name in least %} min(coalesce({{ old }}, {{ new }}), coalesce({{ new }}, {{ old }}))
        {%- elif name in greatest %} max(coalesce({{ old }}, {{ new }}), coalesce({{ new }}, {{ old }}))
        {%- else %} coalesce({{ old }} + {{ new }}, {{ old }}, {{ new }})
        {%- endif %}
        {{- ',' if not loop.last }}
    {%- endfor %}
{% endmacro %}

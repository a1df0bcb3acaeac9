{# Whether an outcome came after the one whose id a query finds. #}
{% macro is_newer(than) -%}
    {{ adapter.dispatch('is_newer')(than) }}
{%- endmacro %}

{% macro default__is_newer(than) -%}
    outcome_id > {{ than }}
{%- endmacro %}

{# DuckDB would compute all columns of all outcomes before it compares their ids with what it has yet to find. Ids that
   it knows it looks up first. #}
{% macro duckdb__is_newer(than) -%}
    outcome_id in (select newer.outcome_id from {{ ref('stg_model_outcomes') }} as newer where newer.outcome_id > {{ than }})
{%- endmacro %}

{# For dbt models that add the new rows to what they have counted: the materialization `additive`, and `incremental`.

   The config of an additive dbt model:
   unique_key              a list of columns without nulls; it becomes the primary key
   meta: minimum_columns   a list of columns of which the least value is kept; a null loses against every value
   meta: maximum_columns   a list of columns of which the greatest value is kept; a null loses against every value
   meta: watermark         the maximum column that says how far the rows have been counted; a list if the rows come from
                           several tables
   All other columns are summed. The contract must be enforced; if it changes, the table is rebuilt. #}


{# True if this build adds to an existing table of an `incremental` or `additive` dbt model. A changed contract means a
   rebuild, so the select must not be limited to new rows. #}
{% macro is_incremental() %}
    {% do return(
        execute
        and model.config.materialized in ('incremental', 'additive')
        and not should_full_refresh()
        and adapter.dispatch('adds_to_table')()
    ) %}
{% endmacro %}

{% macro is_existing_table() %}
    {% set existing = load_relation(this) %}
    {% do return(existing is not none and existing.is_table) %}
{% endmacro %}

{% macro default__adds_to_table() %}
    {% do return(is_existing_table() and has_contract_columns()) %}
{% endmacro %}

{% macro sqlite__adds_to_table() %}
    {% do return(is_existing_table() and sqlite_is_as_defined(this)) %}
{% endmacro %}

{# On Spark the dbt model's name is a view of the table's last version. #}
{% macro spark__adds_to_table() %}
    {% do return(load_relation(this) is not none and has_contract_columns()) %}
{% endmacro %}


{# The watermark of the existing table, or 0 if the table is built from nothing: with `outcome_id > rolled_up_to()` a
   `where` selects the rows that the table has not counted yet. It is a subquery, because a number would be fixed too
   early: another build may merge rows before this one does.

   column   the column whose greatest value is the watermark, if it is not the only one of the config. In a unit test `this`
            is null (none) or the name of the rows given as `input: this`, and the config of the dbt model is not
            available: a unit test with `input: this` must give the column.
   where    a condition on the rows of the existing table, which is called `rolled_up` here. It gives each group a
            watermark of its own: where="rolled_up.experiment_id = experiments.experiment_id" #}
{% macro rolled_up_to(column=none, where=none) -%}
    {%- set watermark = column or (additive_watermarks() | join if additive_watermarks() | length == 1) -%}
    {%- if this is none or (this is not string and not is_incremental()) -%}
        0
    {%- elif not watermark -%}
        {%- do exceptions.raise_compiler_error('rolled_up_to() needs the name of the watermark column here') -%}
    {%- else -%}
        (
            select coalesce(max(rolled_up.{{ watermark }}), 0)
            from {{ this if this is string else relation_in_sql(this) }} as rolled_up
            {%- if where %}
            where {{ where }}
            {%- endif %}
        )
    {%- endif -%}
{%- endmacro %}


{# True if an outcome came after the one with the id that a query returns, for a `where` over stg_model_outcomes. Each
   engine then reads only the newer part of the log. On DuckDB and Spark, use it only in dbt models that are tables.

   than   a number, or a scalar subquery in parentheses. The subquery may read whole tables, but no CTE of the query
          around it, because an engine may run it earlier. If it is null, no outcome is newer.
   id     the column with the id: correction_id for corrections #}
{% macro is_newer(than, id='outcome_id') -%}
    {{ adapter.dispatch('is_newer')(than, id) }}
{%- endmacro %}

{% macro default__is_newer(than, id) -%}
    {{ id }} > {{ than }}
{%- endmacro %}

{# For one lower bound that it does not know yet, PostgreSQL expects a third of the log above it and reads the whole
   log. For two bounds it expects few rows and uses the index. So the upper bound is the greatest bigint, wrapped,
   because PostgreSQL would recognise the plain number. #}
{% macro postgres__is_newer(than, id) -%}
    {{ id }} > {{ than }} and {{ id }} <= (select 9223372036854775807)
{%- endmacro %}

{# If DuckDB and Spark know the number before they read, they skip the parts of the Parquet files that hold no greater
   id. The number cannot become wrong: there is only one build at a time, and the dbt models that use it are tables. A
   unit test has no table to query. #}
{% macro duckdb__is_newer(than, id) -%}
    {%- if execute and flags.WHICH in ('build', 'run') and this is not none and this is not string -%}
        {%- set number = run_query('select ' ~ than).columns[0][0] -%}
        {{ id }} > {{ 'null' if number is none else number }}
    {%- else -%}
        {{ id }} > {{ than }}
    {%- endif -%}
{%- endmacro %}

{% macro spark__is_newer(than, id) -%}
    {{ duckdb__is_newer(than, id) }}
{%- endmacro %}


{# The names in the config `watermark`. #}
{% macro additive_watermarks() %}
    {% set names = config.meta_get('watermark', []) %}
    {% do return([names] if names is string else names) %}
{% endmacro %}


{# Fails an additive dbt model if its config names a column that it does not have, or if it has no watermark or no
   contract. Without this check, a misspelt column would be summed and nobody would notice. #}
{% macro assert_additive() %}
    {% set keys, greatest = config.require('unique_key'), config.meta_require('maximum_columns') %}
    {% if not config.get('contract').enforced %}
        {% do exceptions.raise_compiler_error(model.name ~ ': additive needs an enforced contract') %}
    {% endif %}
    {% do config.meta_require('watermark') %}
    {% for name in additive_watermarks() if name not in greatest %}
        {% do exceptions.raise_compiler_error(model.name ~ ': watermark must be one of maximum_columns') %}
    {% endfor %}
    {% for name in keys + greatest + config.meta_get('minimum_columns', []) if name not in model.columns %}
        {% do exceptions.raise_compiler_error(model.name ~ ': no column ' ~ name) %}
    {% endfor %}
{% endmacro %}


{# The upsert that adds staged rows to the table. Sums, minima and maxima handle nulls as SQL's own aggregates do: null
   loses against every value.

   columns                  the quoted columns of both, separated by commas
   guard                    a condition; if it is false, nothing is added
   least_of, greatest_of    the engine's functions that return the smaller and the greater of two values #}
{% macro additive_merge(staged, columns, guard='true', least_of='least', greatest_of='greatest') %}
    {% set least, greatest = config.meta_get('minimum_columns', []), config.meta_get('maximum_columns') %}
    {% set keys = config.get('unique_key') %}
    insert into {{ this }} as existing ({{ columns }})
    select {{ columns }} from {{ staged }}
    where {{ guard }}
    on conflict ({{ keys | join(', ') }}) do update set
    {%- for name in model.columns if name not in keys %}
        {%- set old, new = 'existing.' ~ adapter.quote(name), 'excluded.' ~ adapter.quote(name) %}
        {{ adapter.quote(name) }} =
        {%- if name in least %} {{ least_of }}(coalesce({{ old }}, {{ new }}), coalesce({{ new }}, {{ old }}))
        {%- elif name in greatest %} {{ greatest_of }}(coalesce({{ old }}, {{ new }}), coalesce({{ new }}, {{ old }}))
        {%- else %} coalesce({{ old }} + {{ new }}, {{ old }}, {{ new }})
        {%- endif %}
        {{- ',' if not loop.last }}
    {%- endfor %}
{% endmacro %}

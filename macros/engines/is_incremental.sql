{% macro is_incremental() %}
    {% do return(execute and adapter.dispatch('is_incremental')()) %}
{% endmacro %}

{% macro default__is_incremental() %}
    {% set standing = load_relation(this) %}
    {% do return(
        standing is not none
        and standing.is_table
        and model.config.materialized in ('incremental', 'additive')
        and not should_full_refresh()
    ) %}
{% endmacro %}

{# A changed contract means a rebuild, so the select must not be limited to new rows. #}
{% macro sqlite__is_incremental() %}
    {% do return(default__is_incremental() and sqlite_stands_as_defined(this)) %}
{% endmacro %}

{% macro duckdb__is_incremental() %}
    {% do return(default__is_incremental() and has_contract_columns()) %}
{% endmacro %}

{% macro postgres__is_incremental() %}
    {% do return(default__is_incremental() and has_contract_columns()) %}
{% endmacro %}

{# On Spark the dbt model's name is a view of the table's last version. #}
{% macro spark__is_incremental() %}
    {% do return(
        load_relation(this) is not none
        and model.config.materialized in ('incremental', 'additive')
        and not should_full_refresh()
        and has_contract_columns()
    ) %}
{% endmacro %}

{# A seed follows its file and its column_types without a full refresh. If something changed, it gets a new table within
   the transaction that fills it, so that no reader misses it. Otherwise the existing table stays. #}
{% macro sqlite__reset_csv_table(model, full_refresh, old_relation, agate_table) %}
    {% set definition, stored = sqlite_seed_definition(model, agate_table), sqlite_stored_sql(this) %}
    {% set count = run_query('select count(*) from ' ~ this).rows[0][0] | int %}
    {% set is_as_it_was = stored[stored.find('('):] | trim == definition and count == agate_table.rows | length %}
    {% if full_refresh or not is_as_it_was or model.checksum.name != 'sha256' %}
        {% do sqlite_take_write_lock() %}
        {% do adapter.drop_relation(old_relation) %}
        {% do run_query('create table ' ~ this ~ ' ' ~ definition) %}
    {% endif %}
    {% do return('select 1') %}
{% endmacro %}

{# Drops and creates the view in one transaction, so that no reader misses it. An unchanged view stays, without the
   write lock, because after a change every connection reads the whole schema again. #}
{% materialization view, adapter='sqlite' %}
    {% set standing = load_relation(this) %}
    {% set definition = 'CREATE VIEW ' ~ adapter.quote(this.identifier) ~ ' as\n' ~ sql | trim %}
    {% set is_unchanged = sqlite_stored_sql(this) == definition %}
    {% do run_hooks(pre_hooks, inside_transaction=false) %}
    {% do sqlite_assert_contract(sql, this if is_unchanged else none) %}
    {% if not is_unchanged %}
        {% do sqlite_take_write_lock() %}
    {% endif %}
    {% do run_hooks(pre_hooks, inside_transaction=true) %}
    {% if standing is not none and not is_unchanged %}
        {% do adapter.drop_relation(standing) %}
    {% endif %}
    {% call statement('main') %}{{ 'select 1' if is_unchanged else definition }}{% endcall %}
    {{ return(sqlite_finish('view')) }}
{% endmaterialization %}

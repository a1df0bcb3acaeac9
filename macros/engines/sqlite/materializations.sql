{# The materializations write into an SQLite file while other programs write their outcomes there. Each computes its rows
   first, in a temporary table (sqlite_stage), and holds the write lock only to put them in place (writing.sql). The
   checks of a contract are in contract.sql, the write lock is in locking.sql. #}


{# A table with the rows of its select, with types and constraints from its contract and `indexes` from the config. If
   it has a primary key in the contract or a unique index, a build changes only the rows that differ. #}
{% materialization table, adapter='sqlite' %}
    {% do run_hooks(pre_hooks, inside_transaction=false) %}
    {% do sqlite_put_in(sqlite_stage(sql)) %}
    {{ return(sqlite_finish()) }}
{% endmaterialization %}


{# A view whose column names match its contract, and also the types that SQLite knows. It is dropped and created in one
   transaction, so that no reader misses it. An unchanged view stays, without the write lock, because after a change
   every connection reads the whole schema again. #}
{% materialization view, adapter='sqlite' %}
    {% set existing = load_relation(this) %}
    {% set definition = 'CREATE VIEW ' ~ adapter.quote(this.identifier) ~ ' as\n' ~ sql | trim %}
    {% set is_unchanged = sqlite_stored_sql(this) == definition %}
    {% do run_hooks(pre_hooks, inside_transaction=false) %}
    {% do sqlite_assert_contract(sql, this if is_unchanged else none) %}
    {% if not is_unchanged %}
        {% do sqlite_take_write_lock() %}
    {% endif %}
    {% do run_hooks(pre_hooks, inside_transaction=true) %}
    {% if existing is not none and not is_unchanged %}
        {% do adapter.drop_relation(existing) %}
    {% endif %}
    {% call statement('main') %}{{ 'select 1' if is_unchanged else definition }}{% endcall %}
    {{ return(sqlite_finish('view')) }}
{% endmaterialization %}


{# dbt's incremental: a row whose unique_key (a name or a list) comes again is replaced, all others are added. A
   pre_hook in the transaction may delete rows that are no longer valid: it runs after the select and before its rows
   are inserted. #}
{% materialization incremental, adapter='sqlite' %}
    {% set adds = is_incremental() %}
    {% set keys = config.get('unique_key', []) %}
    {% set key = ([keys] if keys is string else keys) | join(', ') %}
    {% do run_hooks(pre_hooks, inside_transaction=false) %}
    {% set staged = sqlite_stage(sql) %}
    {% if adds %}
        {% set columns = sqlite_column_list(staged) %}
        {% do sqlite_take_write_lock() %}
        {% do run_hooks(pre_hooks, inside_transaction=true) %}
        {% if key %}
            {% do run_query('delete from ' ~ this ~ ' where (' ~ key ~ ') in (select ' ~ key ~ ' from ' ~ staged ~ ')') %}
        {% endif %}
        {% do run_query('insert into ' ~ this ~ ' (' ~ columns ~ ') select ' ~ columns ~ ' from ' ~ staged) %}
    {% else %}
        {% do sqlite_swap_in(staged) %}
    {% endif %}
    {{ return(sqlite_finish()) }}
{% endmaterialization %}


{# A rollup that grows by the new rows. The select returns the rows after rolled_up_to(), aggregated by unique_key. They
   are added to the existing rows, and the watermarks move in the same transaction: each row counts exactly once, even
   if a build is killed. If another build has moved a watermark since the rows were computed, nothing is added. The
   config is explained in ../rollup.sql. #}
{% materialization additive, adapter='sqlite' %}
    {% do assert_additive() %}
    {% set adds = is_incremental() %}
    {% set marks = [] %}
    {% for name in additive_watermarks() %}
        {% do marks.append('coalesce(max(' ~ name ~ '), 0) as ' ~ name) %}
    {% endfor %}
    {% set greatest = 'select ' ~ marks | join(', ') ~ ' from ' ~ this %}
    {% do run_hooks(pre_hooks, inside_transaction=false) %}
    {% set staged = sqlite_stage(sql) %}
    {% if adds %}
        {% set computed_at = make_temp_relation(this, '__dbt_watermark') %}
        {% do run_query('create temporary table ' ~ adapter.quote(computed_at.identifier) ~ ' as ' ~ greatest) %}
        {% do sqlite_take_write_lock(writes_next=not pre_hooks) %}
        {% do run_hooks(pre_hooks, inside_transaction=true) %}
        {% do run_query(additive_merge(
            staged,
            sqlite_column_list(staged),
            guard='(' ~ greatest ~ ') = (select * from ' ~ computed_at ~ ')',
            least_of='min',
            greatest_of='max'
        )) %}
    {% else %}
        {% do sqlite_swap_in(staged) %}
    {% endif %}
    {{ return(sqlite_finish()) }}
{% endmaterialization %}


{# The end of every materialization: hooks, commit, hooks, and the value that dbt expects. It drops the unfinished table
   of a killed full refresh, because a build that only changes rows would leave it there. #}
{% macro sqlite_finish(type='table') %}
    {% set built = this.incorporate(type=type) %}
    {% set unfinished = make_intermediate_relation(this, '__dbt_new') %}
    {% do run_hooks(post_hooks, inside_transaction=true) %}
    {% do adapter.commit() %}
    {% if type == 'table' and sqlite_stored_sql(unfinished) %}
        {% do sqlite_take_write_lock() %}
        {% do run_query('drop table ' ~ unfinished) %}
        {% do adapter.commit() %}
    {% endif %}
    {% do run_hooks(post_hooks, inside_transaction=false) %}
    {% do return({'relations': [built]}) %}
{% endmacro %}

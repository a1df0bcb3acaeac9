{# dbt can only send a plain BEGIN, which takes no lock. SQLite then refuses a transaction that reads before it writes
   if another connection has written in between. So this ends dbt's transaction and begins an immediate one instead. dbt
   sees an open transaction, and commits it or rolls it back as usual. If the next statement writes, it takes the lock
   itself, and a plain BEGIN holds the lock for a shorter time. #}
{% macro sqlite_take_write_lock(writes_next=false) %}
    {% do sqlite_set_busy_timeout() %}
    {% call statement() %}commit{% endcall %}
    {% call statement() %}{{ 'begin' if writes_next else 'begin immediate' }}{% endcall %}
{% endmacro %}

{# dbt can only send a plain BEGIN, which takes no lock; a transaction that reads before it writes is then refused
   at once when somebody else has written meanwhile. So dbt's transaction is ended and an immediate one put in its
   place: dbt knows of an open transaction, and commits it or rolls it back as usual. Where the next statement writes it
   takes the lock itself, and a plain BEGIN holds it for that much less time. #}
{% macro sqlite_take_write_lock(writes_next=false) %}
    {% do sqlite_set_busy_timeout() %}
    {% call statement() %}commit{% endcall %}
    {% call statement() %}{{ 'begin' if writes_next else 'begin immediate' }}{% endcall %}
{% endmacro %}

{# SQLite has one writer at a time. A build takes the write lock late, holds it briefly, and lets others write between
   its chunks. #}


{# Sets how long this connection waits for a lock: OUTCOMES_BUSY_TIMEOUT seconds, default 30. dbt opens a connection per
   node, so this runs before the first write of each node. #}
{% macro sqlite_set_busy_timeout() %}
    {% set milliseconds = (env_var('OUTCOMES_BUSY_TIMEOUT', '30') | float * 1000) | int %}
    {% do run_query('pragma busy_timeout = ' ~ milliseconds) %}
{% endmacro %}


{# Ends the open transaction, if there is one, and begins one that holds the write lock from the start. dbt can only
   send a plain BEGIN, which takes no lock. SQLite then refuses a transaction that reads before it writes if another
   connection has written in between (https://www.sqlite.org/rescode.html#busy_snapshot). dbt sees an open transaction, and commits
   it or rolls it back as usual. If the next statement writes, it takes the lock itself, and a plain BEGIN holds the
   lock for a shorter time. #}
{% macro sqlite_take_write_lock(writes_next=false) %}
    {% do sqlite_set_busy_timeout() %}
    {% call statement() %}commit{% endcall %}
    {% call statement() %}{{ 'begin' if writes_next else 'begin immediate' }}{% endcall %}
{% endmacro %}


{# Pauses between two chunks. A connection that meets a locked file tries again after 1, 2, 5, 10, 15, 20, 25 ms and so
   on. If one chunk followed the other at once, an unlucky writer could miss every gap. SQLite cannot sleep, so it
   counts for about 6 ms. #}
{% macro sqlite_let_writers_in() %}
    {% do run_query(
        'with recursive pause(i) as (select 1 union all select i + 1 from pause where i < 25000) select max(i) from pause'
    ) %}
{% endmacro %}

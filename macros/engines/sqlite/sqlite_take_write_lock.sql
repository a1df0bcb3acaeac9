{# dbt can only send a plain BEGIN, which takes no lock; a transaction that reads before it writes is then refused
   at once when somebody else has written meanwhile. So dbt's transaction is ended and an immediate one put in its
   place: dbt knows of an open transaction, and commits it or rolls it back as usual. #}
{% macro sqlite_take_write_lock() %}
    {% do sqlite_set_busy_timeout() %}
    {% call statement() %}commit{% endcall %}
    {% call statement() %}begin immediate{% endcall %}
{% endmacro %}

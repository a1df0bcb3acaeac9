{# A connection that meets a locked file tries again after 1, 2, 5, 10, 15, 20, 25 ms and so on. If one chunk followed
   the other at once, an unlucky writer could miss every gap. SQLite cannot sleep, so it counts for about 6 ms. #}
{% macro sqlite_let_writers_in() %}
    {% do run_query(
        'with recursive pause(i) as (select 1 union all select i + 1 from pause where i < 25000) select max(i) from pause'
    ) %}
{% endmacro %}

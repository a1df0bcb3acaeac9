{# dbt opens a connection per node, so this runs before the first write of each node. #}
{% macro sqlite_set_busy_timeout() %}
    {% set milliseconds = (env_var('OUTCOMES_BUSY_TIMEOUT', '30') | float * 1000) | int %}
    {% do run_query('pragma busy_timeout = ' ~ milliseconds) %}
{% endmacro %}

{# The guard makes a delta void when another build has moved the watermark since it was computed. #}
{% macro sqlite_additive_merge(staged, watermark, computed_at) %}
    {% set moved_to = '(select coalesce(max(' ~ watermark ~ '), 0) from ' ~ this ~ ')' %}
    {% do return(additive_merge(
        staged,
        sqlite_column_list(staged),
        guard=moved_to ~ ' = (select watermark from ' ~ computed_at ~ ')',
        least_of='min',
        greatest_of='max'
    )) %}
{% endmacro %}

{# If another build has moved the watermark since the delta was computed, the guard stops it from being added. #}
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

{#-
    True if the strata of two arms are tasks: they share enough tasks, or a good part of their tasks recurs. In that
    case days would compare different tasks, and hard ones may go to one arm.

    Formula: shared >= min_shared_tasks, or shared >= 1 and shared >= min_shared_task_share * min(tasks, other_tasks)
    shared_tasks  number of tasks that both arms tried
    tasks         number of tasks that one arm tried
    other_tasks   number of tasks that the other arm tried
    Example: is_compared_by_task('3', '20', '40') is 1
-#}
{% macro is_compared_by_task(shared_tasks, tasks, other_tasks) -%}
    (case
        when {{ shared_tasks }} >= {{ var('min_shared_tasks') }} then 1
        when
            {{ shared_tasks }} >= 1
            and {{ shared_tasks }} >= {{ double(var('min_shared_task_share')) }} * {{ at_most(tasks, other_tasks) }}
            then 1
        else 0
    end)
{%- endmacro %}

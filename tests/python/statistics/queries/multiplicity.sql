with

ranked as (

    select
        *,
        count(*) over (partition by task_type) as models,
        count(p_value) over (partition by task_type) as comparisons,
        row_number() over (partition by task_type order by p_value is null, p_value) as p_value_rank,
        row_number() over (partition by task_type order by e_value desc) as e_value_rank
    from inputs

)

select
    {{ benjamini_hochberg('p_value', 'p_value_rank', 'comparisons', 'task_type') }} as benjamini_hochberg,
    {{ holm('p_value', 'p_value_rank', 'comparisons', 'task_type') }} as holm,
    {{ is_selected_by_e_bh('e_value', 'e_value_rank', 'models', 'task_type') }} as is_selected
from ranked
order by row_id

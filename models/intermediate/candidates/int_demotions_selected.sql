with weighed as (

    select * from {{ ref('int_demotions_weighed') }}

),

ranked as (

    select
        *,
        {{ anytime_p_value('e_value') }} as anytime_p_value,
        count(*) over (partition by task_type) as comparisons,
        row_number() over (partition by task_type order by e_value desc, model_id) as e_value_rank
    from weighed

),

selected as (

    select
        *,
        {{ benjamini_hochberg('anytime_p_value', 'e_value_rank', 'comparisons', 'task_type') }}
            as benjamini_hochberg_p_value,
        {{ holm('anytime_p_value', 'e_value_rank', 'comparisons', 'task_type') }} as holm_p_value,
        {{ is_selected_by_e_bh('e_value', 'e_value_rank', 'comparisons', 'task_type') }} as is_selected,
        'worse_than_incumbent: ' || successes || ' of ' || trials || ' trials succeeded, against '
        || incumbent_successes || ' of ' || incumbent_trials || ' of ' || incumbent_model_id as reason
    from ranked

)

select * from selected
where is_selected = 1

with challengers as (

    select
        *,
        count(anytime_p_value) over (partition by task_type) as comparisons,
        row_number() over (
            partition by task_type
            order by case when anytime_p_value is null then 1 else 0 end, anytime_p_value, model_id
        ) as p_value_rank
    from {{ ref('int_challengers_compared') }}

),

adjusted as (

    select
        *,
        {{ benjamini_hochberg('anytime_p_value', 'p_value_rank', 'comparisons', 'task_type') }}
            as benjamini_hochberg_p_value,
        {{ holm('anytime_p_value', 'p_value_rank', 'comparisons', 'task_type') }} as holm_p_value
    from challengers

),

demotions as (

    select * from {{ ref('demotion_candidates') }}

),

-- Leave out a leader whose comparison with the incumbent is decided, or was decided and is now in doubt.
decided as (

    select * from {{ ref('ab_comparisons') }}
    where is_declared = 0 and first_decided_at is not null

),

selected as (

    select adjusted.*
    from adjusted
    left join demotions on adjusted.task_type = demotions.task_type and adjusted.model_id = demotions.model_id
    left join decided on adjusted.task_type = decided.task_type and adjusted.model_id = decided.challenger_model_id
    where
        demotions.model_id is null
        and decided.experiment_id is null
        and (adjusted.is_likely_best = 1 or adjusted.is_too_little_tried = 1)
        and coalesce(adjusted.rank_best, 1) = 1
        and coalesce(adjusted.probability_best, 1) >= {{ var('min_alternative_probability') }}

)

select * from selected

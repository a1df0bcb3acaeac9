with models as (

    select * from {{ ref('int_models_ranked') }}

),

task_types as (

    select * from {{ ref('int_compared_models') }}

),

-- Not from `models`: SQLite copies a CTE that is read twice, and a copy lacks the table's index.
incumbents as (

    select * from {{ ref('int_models_ranked') }}

),

pairs as (

    select * from {{ ref('int_pairs_compared') }}

),

-- In a pair, the compared model is the incumbent and the model is the challenger.
compared as (

    select
        models.task_type,
        models.model_id,
        task_types.incumbent_model_id,
        task_types.compared_model_id,
        models.is_too_little_tried,
        models.rank,
        models.trials,
        models.successes,
        models.success_rate,
        models.success_rate_lower,
        models.success_rate_upper,
        incumbents.trials as incumbent_trials,
        incumbents.success_rate as incumbent_success_rate,
        incumbents.success_rate_lower as incumbent_success_rate_lower,
        incumbents.success_rate_upper as incumbent_success_rate_upper,
        case when pairs.strata > 0 then 1 else 0 end as has_common_ground,
        pairs.strata,
        pairs.strata_name,
        pairs.candidate_pairs,
        pairs.naive_difference,
        pairs.is_confounded,
        pairs.difference,
        pairs.difference_lower,
        pairs.difference_upper,
        pairs.squared_z,
        pairs.e_value,
        pairs.trials as shared_compared_trials,
        pairs.rival_trials as shared_trials
    from models
    inner join task_types on models.task_type = task_types.task_type
    left join incumbents
        on task_types.task_type = incumbents.task_type and task_types.incumbent_model_id = incumbents.model_id
    left join pairs
        on
            task_types.task_type = pairs.task_type
            and task_types.compared_model_id = pairs.model_id
            and models.model_id = pairs.rival_model_id
    where task_types.compared_model_id is null or models.model_id <> task_types.compared_model_id

),

valued as (

    select
        *,
        {{ anytime_p_value('e_value') }} as anytime_p_value
    from compared

),

ordered as (

    select
        *,
        count(anytime_p_value) over (partition by task_type) as comparisons,
        row_number() over (
            partition by task_type
            order by case when anytime_p_value is null then 1 else 0 end, anytime_p_value, model_id
        ) as p_value_rank
    from valued

),

adjusted as (

    select
        *,
        {{ benjamini_hochberg('anytime_p_value', 'p_value_rank', 'comparisons', 'task_type') }}
            as benjamini_hochberg_p_value,
        {{ holm('anytime_p_value', 'p_value_rank', 'comparisons', 'task_type') }} as holm_p_value
    from ordered

)

select * from adjusted

with rankings as (

    select * from {{ ref('model_rankings') }}

),

task_types as (

    select * from {{ ref('int_compared_models') }}

),

compared as (

    select
        challengers.*,
        task_types.incumbent_model_id,
        task_types.compared_model_id,
        incumbents.trials as incumbent_trials,
        incumbents.success_rate as incumbent_success_rate,
        incumbents.success_rate_lower as incumbent_success_rate_lower,
        incumbents.success_rate_upper as incumbent_success_rate_upper,
        compared_models.trials as compared_trials,
        challengers.success_rate - compared_models.success_rate as difference,
        {{ sequential_squared_error(
            'compared_models.successes', 'compared_models.trials', 'challengers.successes', 'challengers.trials'
        ) }} as squared_error
    from rankings as challengers
    inner join task_types on challengers.task_type = task_types.task_type
    left join rankings as incumbents
        on task_types.task_type = incumbents.task_type and task_types.incumbent_model_id = incumbents.model_id
    left join rankings as compared_models
        on task_types.task_type = compared_models.task_type and task_types.compared_model_id = compared_models.model_id
    where task_types.compared_model_id is null or challengers.model_id <> task_types.compared_model_id

),

weighed as (

    select
        *,
        {{ e_value(squared_z('difference', 'squared_error'), 'trials + compared_trials') }} as e_value
    from compared

),

valued as (

    select
        *,
        {{ anytime_p_value('e_value') }} as anytime_p_value
    from weighed

)

select * from valued

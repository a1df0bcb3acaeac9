with rankings as (

    select * from {{ ref('model_rankings') }}

),

current_incumbents as (

    select * from {{ ref('int_incumbents') }}

),

leaders as (

    select * from {{ ref('int_leaders') }}

),

-- Models are compared with the incumbent; if there is none, with the leader.
paired as (

    select
        rankings.*,
        current_incumbents.model_id as incumbent_model_id,
        coalesce(current_incumbents.model_id, leaders.model_id) as compared_model_id
    from rankings
    left join current_incumbents on rankings.task_type = current_incumbents.task_type
    left join leaders on rankings.task_type = leaders.task_type

),

compared as (

    select
        paired.*,
        incumbents.trials as incumbent_trials,
        incumbents.success_rate as incumbent_success_rate,
        incumbents.success_rate_lower as incumbent_success_rate_lower,
        incumbents.success_rate_upper as incumbent_success_rate_upper,
        compared_models.trials as compared_trials,
        paired.success_rate - compared_models.success_rate as difference,
        {{ sequential_squared_error(
            'compared_models.successes', 'compared_models.trials', 'paired.successes', 'paired.trials'
        ) }} as squared_error
    from paired
    left join rankings as incumbents
        on paired.task_type = incumbents.task_type and paired.incumbent_model_id = incumbents.model_id
    left join rankings as compared_models
        on paired.task_type = compared_models.task_type and paired.compared_model_id = compared_models.model_id
    where paired.compared_model_id is null or paired.model_id <> paired.compared_model_id

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

with rankings as (

    select * from {{ ref('model_rankings') }}

),

current_incumbents as (

    select * from {{ ref('int_incumbents') }}

),

compared as (

    select
        challengers.*,
        current_incumbents.model_id as incumbent_model_id,
        incumbents.trials as incumbent_trials,
        incumbents.success_rate as incumbent_success_rate,
        incumbents.success_rate_lower as incumbent_success_rate_lower,
        incumbents.success_rate_upper as incumbent_success_rate_upper,
        challengers.success_rate - incumbents.success_rate as difference,
        {{ sequential_squared_error(
            'incumbents.successes', 'incumbents.trials', 'challengers.successes', 'challengers.trials'
        ) }} as squared_error
    from rankings as challengers
    inner join current_incumbents
        on challengers.task_type = current_incumbents.task_type and challengers.model_id <> current_incumbents.model_id
    left join rankings as incumbents
        on current_incumbents.task_type = incumbents.task_type and current_incumbents.model_id = incumbents.model_id

),

weighed as (

    select
        *,
        {{ e_value(squared_z('difference', 'squared_error'), 'trials + incumbent_trials') }} as e_value
    from compared

),

valued as (

    select
        *,
        {{ anytime_p_value('e_value') }} as anytime_p_value
    from weighed

)

select * from valued

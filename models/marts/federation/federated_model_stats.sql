with projects as (

    select * from {{ ref('int_projects_pooled') }}

),

own as (

    select * from {{ ref('model_stats') }}

),

costed as (

    select
        *,
        {{ cost_per_success('priced_cost_usd', 'priced_successes') }} as cost_per_success,
        {{ cost_per_success_error(
            'priced_trials', 'priced_successes', 'priced_cost_usd', 'cost_usd_squared', 'success_cost_usd'
        ) }} as cost_per_success_error
    from projects

),

weighed as (

    select
        *,
        {{ cost_per_success_spread('cost_per_success', 'cost_per_success_error', 'priced_successes') }}
            as cost_per_success_spread,
        {{ t_quantile('(projects - 1)') }} as quantile,
        sqrt(pooled_error * pooled_error + tau_squared) as new_project_error,
        {{ prior_strength(
            inner_rate('pooled_success_rate', 'effective_trials'), 'tau_squared', 'pooled_error'
        ) }} as prior_strength
    from costed

),

compared as (

    select
        weighed.task_type,
        weighed.model_id,
        weighed.projects,
        case when weighed.projects < {{ var('few_projects') }} then 1 else 0 end as is_few_projects,
        weighed.trials,
        weighed.successes,
        weighed.pooled_success_rate,
        {{ pooled_lower(
            'weighed.projects', 'weighed.pooled_success_rate', 'weighed.pooled_error',
            'weighed.effective_trials', 'weighed.quantile'
        ) }} as pooled_success_rate_lower,
        {{ pooled_upper(
            'weighed.projects', 'weighed.pooled_success_rate', 'weighed.pooled_error',
            'weighed.effective_trials', 'weighed.quantile'
        ) }} as pooled_success_rate_upper,
        case
            when weighed.projects > 1 then {{ pooled_lower(
                'weighed.projects', 'weighed.pooled_success_rate', 'weighed.new_project_error',
                'weighed.effective_trials', 'weighed.quantile'
            ) }}
        end as new_project_success_rate_lower,
        case
            when weighed.projects > 1 then {{ pooled_upper(
                'weighed.projects', 'weighed.pooled_success_rate', 'weighed.new_project_error',
                'weighed.effective_trials', 'weighed.quantile'
            ) }}
        end as new_project_success_rate_upper,
        weighed.tau_squared,
        weighed.i_squared,
        {{ ratio('weighed.metered_tokens', 'weighed.metered_trials') }} as avg_tokens,
        weighed.cost_per_success,
        {{ cost_per_success_lower(
            'weighed.cost_per_success', 'weighed.cost_per_success_spread',
            'weighed.priced_successes', 'weighed.priced_trials'
        ) }} as cost_per_success_lower,
        {{ cost_per_success_upper(
            'weighed.cost_per_success', 'weighed.cost_per_success_spread',
            'weighed.priced_successes', 'weighed.priced_trials'
        ) }} as cost_per_success_upper,
        coalesce(own.trials, 0) as own_trials,
        coalesce(own.successes, 0) as own_successes,
        own.success_rate as own_success_rate,
        own.success_rate_lower as own_success_rate_lower,
        own.success_rate_upper as own_success_rate_upper,
        case when coalesce(own.trials, 0) < {{ var('high_confidence_trials') }} then 1 else 0 end as is_thin,
        weighed.prior_strength,
        case
            when coalesce(own.trials, 0) < {{ var('high_confidence_trials') }}
                then coalesce({{ shrunk_rate(
                    'own.successes', 'own.trials', 'weighed.pooled_success_rate', 'weighed.prior_strength'
                ) }}, weighed.pooled_success_rate)
        end as federated_success_rate
    from weighed
    left join own on weighed.task_type = own.task_type and weighed.model_id = own.model_id

)

select * from compared

with projects as (

    select * from {{ ref('int_projects_pooled') }}

),

own as (

    select * from {{ ref('model_stats') }}

),

pooled as (

    select
        *,
        {{ rate_of_log_odds('pooled_log_odds') }} as pooled_success_rate,
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
        {{ prior_strength('pooled_success_rate', 'tau_squared', 'pooled_error') }} as prior_strength
    from pooled

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
        {{ rate_of_log_odds('(weighed.pooled_log_odds - ' ~ z() ~ ' * weighed.pooled_error)') }}
            as pooled_success_rate_lower,
        {{ rate_of_log_odds('(weighed.pooled_log_odds + ' ~ z() ~ ' * weighed.pooled_error)') }}
            as pooled_success_rate_upper,
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

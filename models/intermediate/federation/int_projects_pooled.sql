with projects as (

    select * from {{ ref('int_projects_counted') }}

),

effects as (

    select
        *,
        {{ log_odds('successes', 'trials') }} as log_odds,
        {{ log_odds_variance('successes', 'trials', 'noise_variance') }} as variance
    from projects

),

-- The mean if projects differ by chance alone; their spread is measured from it.
weighed as (

    select
        *,
        {{ ratio(
            'sum(log_odds / variance) over (partition by task_type, model_id)',
            'sum(1 / variance) over (partition by task_type, model_id)'
        ) }} as fixed_mean
    from effects

),

spreads as (

    select
        task_type,
        model_id,
        count(log_odds) as projects,
        sum(1 / variance) as weights,
        sum(1 / (variance * variance)) as squared_weights,
        sum((log_odds - fixed_mean) * (log_odds - fixed_mean) / variance) as heterogeneity
    from weighed
    group by task_type, model_id

),

variances as (

    select
        *,
        {{ between_project_variance('projects', 'weights', 'squared_weights', 'heterogeneity') }} as tau_squared,
        {{ i_squared('projects', 'heterogeneity') }} as i_squared
    from spreads

),

pooled as (

    select
        weighed.task_type,
        weighed.model_id,
        max(variances.projects) as projects,
        max(variances.tau_squared) as tau_squared,
        max(variances.i_squared) as i_squared,
        {{ ratio(
            'sum(weighed.log_odds / (weighed.variance + variances.tau_squared))',
            'sum(1 / (weighed.variance + variances.tau_squared))'
        ) }} as pooled_log_odds,
        {{ pooled_error('sum(1 / (weighed.variance + variances.tau_squared))') }} as pooled_error,
        sum(weighed.trials) as trials,
        sum(weighed.successes) as successes,
        sum(weighed.metered_trials) as metered_trials,
        sum(weighed.metered_tokens) as metered_tokens,
        sum(weighed.priced_trials) as priced_trials,
        sum(weighed.priced_successes) as priced_successes,
        sum(weighed.priced_cost_usd) as priced_cost_usd,
        sum(weighed.cost_usd_squared) as cost_usd_squared,
        sum(weighed.success_cost_usd) as success_cost_usd
    from weighed
    inner join variances
        on weighed.task_type = variances.task_type and weighed.model_id = variances.model_id
    where variances.projects > 0
    group by weighed.task_type, weighed.model_id

)

select * from pooled

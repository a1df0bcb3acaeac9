with projects as (

    select * from {{ ref('int_projects_weighed') }}

),

spreads as (

    select
        task_type, model_id,
        count(log_odds) as projects,
        sum(1 / variance) as weights,
        sum(1 / (variance * variance)) as squared_weights,
        sum((log_odds - fixed_mean) * (log_odds - fixed_mean) / variance) as heterogeneity
    from projects
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
        projects.task_type, projects.model_id,
        max(variances.projects) as projects,
        max(variances.tau_squared) as tau_squared, max(variances.i_squared) as i_squared,
        {{ ratio(
            'sum(projects.log_odds / (projects.variance + variances.tau_squared))',
            'sum(1 / (projects.variance + variances.tau_squared))'
        ) }} as pooled_log_odds,
        {{ pooled_error('sum(1 / (projects.variance + variances.tau_squared))') }} as pooled_error,
        sum(projects.trials) as trials, sum(projects.successes) as successes,
        sum(projects.metered_trials) as metered_trials, sum(projects.metered_tokens) as metered_tokens,
        sum(projects.priced_trials) as priced_trials, sum(projects.priced_successes) as priced_successes,
        sum(projects.priced_cost_usd) as priced_cost_usd, sum(projects.cost_usd_squared) as cost_usd_squared,
        sum(projects.success_cost_usd) as success_cost_usd
    from projects
    inner join variances
        on projects.task_type = variances.task_type and projects.model_id = variances.model_id
    where variances.projects > 0
    group by projects.task_type, projects.model_id

)

select * from pooled

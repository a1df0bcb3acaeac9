with

cells as (

    select
        *,
        {{ log_odds('successes', 'trials') }} as log_odds,
        {{ log_odds_variance('successes', 'trials') }} as variance,
        {{ log_odds_variance('successes', 'trials', 'noise_variance') }} as noisy_variance
    from inputs

),

means as (

    select
        *,
        {{ ratio('sum(log_odds / variance) over (partition by task_type)', 'sum(1 / variance) over (partition by task_type)') }}
            as fixed_mean
    from cells

),

heterogeneities as (

    select
        task_type,
        count(log_odds) as projects,
        sum((log_odds - fixed_mean) * (log_odds - fixed_mean) / variance) as heterogeneity,
        sum(1 / variance) as weights,
        sum(1 / (variance * variance)) as squared_weights
    from means
    group by task_type

),

variances as (

    select
        *,
        {{ between_project_variance('projects', 'weights', 'squared_weights', 'heterogeneity') }} as between_variance
    from heterogeneities

),

pooled as (

    select
        cells.task_type,
        {{ ratio(
            'sum(cells.log_odds / (cells.variance + variances.between_variance))',
            'sum(1 / (cells.variance + variances.between_variance))'
        ) }} as pooled_log_odds,
        {{ pooled_error('sum(1 / (cells.variance + variances.between_variance))') }} as pooled_error
    from cells
    inner join variances on cells.task_type = variances.task_type
    group by cells.task_type

),

rates as (

    select
        *,
        {{ rate_of_log_odds('pooled_log_odds') }} as pooled_rate
    from pooled

)

select
    cells.log_odds,
    cells.variance,
    cells.noisy_variance,
    variances.heterogeneity,
    variances.between_variance,
    {{ i_squared('variances.projects', 'variances.heterogeneity') }} as i_squared,
    rates.pooled_log_odds,
    rates.pooled_error,
    rates.pooled_rate,
    {{ prior_strength('rates.pooled_rate', 'variances.between_variance', 'rates.pooled_error') }} as prior_strength
from cells
inner join variances on cells.task_type = variances.task_type
inner join rates on cells.task_type = rates.task_type
order by cells.row_id

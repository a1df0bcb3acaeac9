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

)

select * from weighed

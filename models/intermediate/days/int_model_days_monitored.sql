with days as (

    select * from {{ ref('int_model_days_trailing') }}

),

expected as (

    select
        *,
        {{ cusum_baseline('baseline_successes', 'baseline_trials') }} as baseline_success_rate
    from days

),

weighed as (

    select
        *,
        {{ is_monitored('baseline_success_rate') }} as is_monitored,
        {{ cusum_increment('successes', 'trials', 'baseline_success_rate') }} as cusum_increment
    from expected

),

summed as (

    select
        *,
        sum(cusum_increment) over cell_so_far as running_sum,
        sum(is_monitored) over cell_so_far as monitored_days
    from weighed
    window cell_so_far as (partition by task_type, model_id order by outcome_date rows unbounded preceding)

),

-- A cell counts from its first monitored day on, so that the threshold never falls because other cells pause.
measured as (

    select
        *,
        {{ cusum('running_sum', 'min(running_sum) over cell_so_far') }} as cusum,
        sum(case when is_monitored = 1 and monitored_days = 1 then 1 else 0 end) over so_far as monitored_cells
    from summed
    window
        cell_so_far as (partition by task_type, model_id order by outcome_date rows unbounded preceding),
        so_far as (order by outcome_date)

)

select * from measured

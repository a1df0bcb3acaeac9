with cells as (

    select
        task_type,
        model_id,
        max(outcome_date) as last_date,
        max(case when is_drift_alarm = 0 then outcome_date end) as last_quiet_date
    from {{ ref('model_daily_trends') }}
    where outcome_date < {{ today() }}
    group by task_type, model_id

),

compared as (

    select
        *,
        max(last_date) over () as last_closed_date
    from cells

),

-- A model that is no longer used needs no alarm. No cell begins with an alarm.
standing as (

    select
        task_type,
        model_id,
        {{ days_after('last_quiet_date', 1) }} as drifting_since,
        'drift: below its own rate of the weeks before, since ' || {{ days_after('last_quiet_date', 1) }} as reason
    from compared
    where
        last_date > last_quiet_date
        and last_date > {{ days_after('last_closed_date', '-' ~ var('incumbent_days')) }}

)

select * from standing

with models as (

    select * from {{ ref('int_models_ranked') }}

),

task_types as (

    select * from {{ ref('int_compared_models') }}

),

demotions as (

    select * from {{ ref('int_demotions_selected') }}

),

beaten as (

    select
        task_type,
        incumbent_model_id as model_id,
        challenger_model_id as leader_model_id,
        'worse_than_leader: ' || {{ points('difference') }} || ' points below ' || challenger_model_id as reason
    from {{ ref('ab_comparisons') }}
    where is_declared = 0 and verdict = 'challenger_better'

),

-- Not from a CTE of the mart: `drifts` is read twice, and SQLite would copy every column of every day.
last_days as (

    select
        task_type,
        model_id,
        max(outcome_date) as last_date,
        max(case when is_drift_alarm = 0 then outcome_date end) as last_quiet_date
    from {{ ref('model_daily_trends') }}
    where outcome_date < {{ today() }}
    group by task_type, model_id

),

dated as (

    select
        *,
        max(last_date) over () as last_closed_date
    from last_days

),

-- A model that is no longer used needs no alarm. No cell begins with an alarm.
drifts as (

    select
        task_type,
        model_id,
        {{ days_after('last_quiet_date', 1) }} as drifting_since,
        'drift: below its own rate of the weeks before, since ' || {{ days_after('last_quiet_date', 1) }} as reason
    from dated
    where
        last_date > last_quiet_date
        and last_date > {{ days_after('last_closed_date', '-' ~ var('incumbent_days')) }}

),

-- Begins with the few listed models: looking up every model in the lists would take quadratic time.
listed as (

    select task_type, model_id from demotions
    union
    select task_type, model_id from drifts
    union
    select task_type, model_id from beaten

),

candidates as (

    select
        models.task_type,
        models.model_id,
        task_types.incumbent_model_id,
        beaten.leader_model_id,
        -- An incumbent is not worse than itself, so no model is in both `demotions` and `beaten`.
        coalesce(
            coalesce(demotions.reason, beaten.reason) || '; ' || drifts.reason,
            demotions.reason, beaten.reason, drifts.reason
        ) as reason,
        case when demotions.model_id is null then 0 else 1 end as is_worse_than_incumbent,
        case when beaten.model_id is null then 0 else 1 end as is_worse_than_leader,
        case when drifts.model_id is null then 0 else 1 end as is_drifting,
        drifts.drifting_since,
        models.logged_trials as trials,
        models.logged_successes as successes,
        {{ ratio('models.logged_successes', 'models.logged_trials') }} as success_rate,
        {{ wilson_lower('models.logged_successes', 'models.logged_trials') }} as success_rate_lower,
        {{ wilson_upper('models.logged_successes', 'models.logged_trials') }} as success_rate_upper,
        demotions.incumbent_trials,
        demotions.incumbent_successes,
        demotions.naive_difference,
        demotions.is_confounded,
        demotions.strata,
        demotions.difference,
        demotions.e_value,
        demotions.anytime_p_value,
        demotions.benjamini_hochberg_p_value,
        demotions.holm_p_value
    from listed
    inner join models on listed.task_type = models.task_type and listed.model_id = models.model_id
    inner join task_types on models.task_type = task_types.task_type
    left join demotions on listed.task_type = demotions.task_type and listed.model_id = demotions.model_id
    left join beaten on listed.task_type = beaten.task_type and listed.model_id = beaten.model_id
    left join drifts on listed.task_type = drifts.task_type and listed.model_id = drifts.model_id

)

select * from candidates

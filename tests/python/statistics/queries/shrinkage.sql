with

pooled as (

    select
        *,
        count(*) over (partition by task_type) as models,
        {{ ratio('sum(successes) over (partition by task_type)', 'sum(trials) over (partition by task_type)') }}
            as pooled_rate
    from inputs
    where trials > 0

),

spreads as (

    select
        task_type,
        max(models) as models,
        max(pooled_rate) as pooled_rate,
        sum(trials) as trials,
        sum(trials * trials) as squared_trials,
        sum(
            trials * ({{ ratio('successes', 'trials') }} - pooled_rate) * ({{ ratio('successes', 'trials') }} - pooled_rate)
        ) as spread
    from pooled
    group by task_type

),

variances as (

    select
        *,
        {{ between_variance('models', 'trials', 'squared_trials', 'pooled_rate', 'spread') }} as variance
    from spreads

),

strengths as (

    select
        *,
        {{ shrinkage_strength('models', 'pooled_rate', 'variance') }} as strength
    from variances

)

select
    strengths.pooled_rate,
    strengths.variance,
    strengths.strength,
    {{ shrunk_rate('inputs.successes', 'inputs.trials', 'strengths.pooled_rate', 'strengths.strength') }} as shrunk_rate
from inputs
left join strengths on inputs.task_type = strengths.task_type
order by inputs.row_id

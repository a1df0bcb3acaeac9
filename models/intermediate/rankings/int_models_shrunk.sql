with models as (

    select
        *,
        count(*) over (partition by task_type) as models,
        {{ ratio(
            'sum(successes) over (partition by model_id) - successes',
            'sum(trials) over (partition by model_id) - trials'
        ) }} as rate_elsewhere,
        {{ ratio('sum(successes) over (partition by task_type)', 'sum(trials) over (partition by task_type)') }}
            as pooled_rate
    from {{ ref('int_models_ranked') }}
    where trials > 0

),

spreads as (

    select
        task_type,
        max(models) as models,
        max(pooled_rate) as pooled_rate,
        sum(trials) as trials,
        sum({{ double('trials') }} * trials) as squared_trials,
        sum(trials * (success_rate - pooled_rate) * (success_rate - pooled_rate)) as spread
    from models
    group by task_type

),

strengths as (

    select
        task_type,
        trials,
        {{ shrinkage_strength(
            'models',
            'pooled_rate',
            between_variance('models', 'trials', 'squared_trials', 'pooled_rate', 'spread')
        ) }} as strength
    from spreads

),

-- A model alone at its task type is moved toward its rate at other task types.
expected as (

    select
        models.task_type,
        models.model_id,
        models.successes,
        models.trials,
        strengths.strength,
        strengths.trials as all_trials,
        case
            when models.models > 1 then models.pooled_rate
            else coalesce(models.rate_elsewhere, 0.5e0)
        end as prior_rate
    from models
    inner join strengths on models.task_type = strengths.task_type

),

shrunk as (

    select
        task_type,
        model_id,
        {{ shrunk_rate('successes', 'trials', 'prior_rate', 'strength') }} as shrunk_success_rate,
        {{ posterior_count('successes', inner_rate('prior_rate', 'all_trials'), 'strength') }} as posterior_successes,
        {{ posterior_count('trials - successes', '1 - ' ~ inner_rate('prior_rate', 'all_trials'), 'strength') }}
            as posterior_failures
    from expected

)

select * from shrunk

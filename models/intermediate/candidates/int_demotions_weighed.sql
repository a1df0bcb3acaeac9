with models as (

    select
        task_type,
        model_id,
        logged_successes as successes,
        logged_trials as trials
    from {{ ref('int_models_ranked') }}
    where logged_trials >= {{ var('min_trials_per_arm') }}

),

current_incumbents as (

    select * from {{ ref('int_incumbents') }}

),

compared as (

    select
        models.task_type,
        models.model_id,
        models.successes,
        models.trials,
        incumbents.model_id as incumbent_model_id,
        incumbents.successes as incumbent_successes,
        incumbents.trials as incumbent_trials,
        {{ ratio('models.successes', 'models.trials') }} - {{ ratio('incumbents.successes', 'incumbents.trials') }}
            as difference,
        {{ sequential_squared_error('incumbents.successes', 'incumbents.trials', 'models.successes', 'models.trials') }}
            as squared_error
    from models
    inner join current_incumbents
        on models.task_type = current_incumbents.task_type and models.model_id <> current_incumbents.model_id
    inner join models as incumbents
        on current_incumbents.task_type = incumbents.task_type and current_incumbents.model_id = incumbents.model_id

),

weighed as (

    select
        *,
        coalesce({{ demotion_e_value('difference', 'squared_error', 'trials + incumbent_trials') }}, 0e0) as e_value
    from compared

)

select * from weighed

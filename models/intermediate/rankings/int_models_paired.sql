with models as (

    select * from {{ ref('int_models_ranked') }}
    where is_eligible = 1

),

paired as (

    select
        models.task_type,
        models.model_id,
        rivals.model_id as rival_model_id,
        rivals.rank as rival_rank,
        models.trials as model_trials,
        rivals.trials as rival_trials,
        models.eligible_models - 1 as rivals,
        rivals.success_rate - models.success_rate as difference,
        {{ sequential_squared_error('models.successes', 'models.trials', 'rivals.successes', 'rivals.trials') }}
            as squared_error
    from models
    inner join models as rivals on models.task_type = rivals.task_type and models.model_id <> rivals.model_id

),

bounded as (

    select
        *,
        {{ sequential_half_width('squared_error', 'model_trials + rival_trials', alpha=var('alpha') ~ ' / rivals') }}
            as half_width
    from paired

),

judged as (

    select
        *,
        {{ verdict('model_trials', 'rival_trials', 'difference - half_width', 'difference + half_width') }} as verdict
    from bounded

)

select * from judged

with models as (

    select * from {{ ref('int_models_ranked') }}
    where is_eligible = 1 and is_retired = 0

),

-- A newcomer with 5 successes in 5 trials may rank first, but it has too few trials for a decision.
ordered as (

    select
        task_type,
        model_id,
        eligible_models,
        row_number() over (
            partition by task_type
            order by
                case when logged_trials >= {{ var('min_trials_per_arm') }} then 0 else 1 end,
                is_too_little_tried,
                rank
        ) as place
    from models

),

leaders as (

    select
        task_type,
        model_id,
        eligible_models
    from ordered
    where place = 1

)

select * from leaders

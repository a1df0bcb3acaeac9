with outcomes as (

    select * from {{ ref('int_task_outcomes') }}
    where is_checkpoint = 0

),

verdicts as (

    select * from {{ ref('int_verdicts_corrected') }}

),

aliases as (

    select * from {{ ref('model_aliases') }}

),

attributions as (

    select * from {{ ref('int_error_types') }}

),

corrected as (

    select
        outcomes.*,
        coalesce(aliases.model_id, outcomes.model_id) as named_model_id,
        verdicts.verdict,
        case
            when verdicts.verdict is null then outcomes.is_success
            when verdicts.verdict = 'success' then 1
            else 0
        end as has_succeeded,
        attributions.attribution
    from outcomes
    left join verdicts on outcomes.outcome_id = verdicts.outcome_id
    left join aliases on outcomes.model_id = aliases.alias
    left join attributions on outcomes.error_type = attributions.error_type

),

trials as (

    select
        outcome_id,
        task_type,
        task_id,
        task_block,
        named_model_id as model_id,
        agent,
        effort,
        variant,
        has_succeeded as is_success,
        occurred_at,
        outcome_date
    from corrected
    where
        coalesce(verdict, '') <> 'void'
        and (has_succeeded = 1 or coalesce(attribution, 'model') <> 'infrastructure')

)

select * from trials

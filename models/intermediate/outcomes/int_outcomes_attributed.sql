with outcomes as (

    select * from {{ ref('int_outcomes_combined') }}

),

aliases as (

    select * from {{ ref('model_aliases') }}

),

attributions as (

    select * from {{ ref('int_error_types') }}

),

attributed as (

    select
        outcomes.task_type,
        coalesce(aliases.model_id, outcomes.model_id) as model_id,
        outcomes.model_id as recorded_model_id,
        outcomes.error_type,
        outcomes.is_success,
        outcomes.is_legacy,
        case
            when outcomes.is_success = 0 and attributions.attribution = 'infrastructure' then 0
            else 1
        end as is_trial,
        outcomes.outcomes,
        outcomes.timeouts,
        outcomes.metered_outcomes,
        outcomes.priced_outcomes,
        outcomes.tokens_used,
        outcomes.tokens_carry,
        outcomes.cost_nano_usd,
        outcomes.cost_carry,
        outcomes.cost_usd_squared,
        outcomes.first_used,
        outcomes.last_used,
        outcomes.timestamp_text
    from outcomes
    left join aliases on outcomes.model_id = aliases.alias
    left join attributions on outcomes.error_type = attributions.error_type

)

select * from attributed

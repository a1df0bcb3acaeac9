with mirrored as (

    select * from {{ ref('stg_llm_task_outcomes') }}

),

models as (

    select * from {{ ref('int_uok_models_matched') }}

),

counted as (

    select
        mirrored.task_type,
        models.model_id,
        sum(mirrored.is_success) as successes,
        sum(1 - mirrored.is_success) as failures,
        sum(mirrored.retries) as retries,
        sum(mirrored.is_escalated) as escalations,
        sum(mirrored.is_verified) as verifications,
        sum(mirrored.is_verification_passed) as verifications_passed,
        sum(mirrored.has_blocker) as blockers,
        sum(mirrored.is_metered) as metered_outcomes,
        sum(mirrored.is_priced) as priced_outcomes,
        sum({{ rest_of('mirrored.tokens_used') }}) as total_tokens,
        sum({{ carry_of('mirrored.tokens_used') }}) as total_tokens_carry,
        sum({{ rest_of('mirrored.cost_nano_usd') }}) as total_cost_nano_usd,
        sum({{ carry_of('mirrored.cost_nano_usd') }}) as total_cost_carry,
        min(mirrored.occurred_at) as first_used,
        max(mirrored.occurred_at) as last_used
    from mirrored
    inner join models
        on
            mirrored.model_id = models.recorded_model_id
            and mirrored.provider = models.provider
    group by mirrored.task_type, models.model_id

)

select * from counted

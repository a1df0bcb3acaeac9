with exported as (

    select * from {{ ref('int_exports_current') }}

),

outcomes as (

    select * from {{ ref('int_outcomes_publishable') }}

),

recounted as (

    select
        exported.export_id,
        exported.task_type,
        exported.model_id,
        max(exported.outcomes) as exported_outcomes,
        max(exported.successes) as exported_successes,
        max(exported.timeouts) as exported_timeouts,
        max(exported.infrastructure_failures) as exported_infrastructure_failures,
        max(exported.tokens) as exported_tokens,
        max(exported.tokens_carry) as exported_tokens_carry,
        max(exported.cost_nano_usd) as exported_cost_nano_usd,
        max(exported.cost_carry) as exported_cost_carry,
        coalesce(sum(outcomes.outcomes), 0) as outcomes,
        coalesce(sum(outcomes.successes), 0) as successes,
        coalesce(sum(outcomes.timeouts), 0) as timeouts,
        coalesce(sum(outcomes.infrastructure_failures), 0) as infrastructure_failures,
        sum(outcomes.metered_trials) as metered_trials,
        sum(outcomes.priced_trials) as priced_trials,
        sum(outcomes.priced_successes) as priced_successes,
        sum(outcomes.tokens_squared) as tokens_squared,
        coalesce(sum(outcomes.tokens), 0) as tokens,
        coalesce(sum(outcomes.tokens_carry), 0) as tokens_carry,
        coalesce(sum(outcomes.cost_nano_usd), 0) as cost_nano_usd,
        coalesce(sum(outcomes.cost_carry), 0) as cost_carry,
        sum(outcomes.cost_usd_squared) as cost_usd_squared,
        min(outcomes.outcome_date) as first_day,
        sum(outcomes.success_cost_nano_usd) as success_cost_nano_usd,
        sum(outcomes.success_cost_carry) as success_cost_carry,
        max(outcomes.outcome_date) as last_day,
        sum(outcomes.infrastructure_tokens) as infrastructure_tokens,
        sum(outcomes.infrastructure_tokens_carry) as infrastructure_tokens_carry,
        sum(outcomes.infrastructure_cost_nano_usd) as infrastructure_cost_nano_usd,
        sum(outcomes.infrastructure_cost_carry) as infrastructure_cost_carry
    from exported
    left join outcomes
        on
            exported.task_type = outcomes.task_type and exported.model_id = outcomes.model_id
            and exported.is_opening = outcomes.is_opening
            and (exported.is_opening = 1 or coalesce(exported.covered_before, '') < outcomes.outcome_date)
            and (exported.is_opening = 1 or exported.window_last_day >= outcomes.outcome_date)
    group by exported.export_id, exported.task_type, exported.model_id

),

-- Each class (success, failure, infrastructure failure) may have more or fewer outcomes now. Half of the sum of all
-- these differences, the difference of the total included, is a lower limit of the outcomes that are late or changed
-- their class.
compared as (

    select
        *,
        outcomes - exported_outcomes as late_outcomes,
        cast((
            abs(outcomes - exported_outcomes) + abs(successes - exported_successes)
            + abs(infrastructure_failures - exported_infrastructure_failures) + abs(
                outcomes - exported_outcomes - successes + exported_successes
                - infrastructure_failures + exported_infrastructure_failures
            )
        ) / 2 as bigint) as changed_outcomes
    from recounted

)

select * from compared

with days as (

    select * from {{ ref('int_outcomes_daily_attributed') }}

),

-- A day counts as the first or the last one only if corrections left an outcome on it.
counted_days as (

    select
        outcome_date,
        task_type,
        model_id,
        agent,
        effort,
        variant,
        sum(outcomes) as outcomes,
        sum(is_trial * outcomes) as trials,
        sum(is_success * outcomes) as successes,
        sum(is_trial * priced_outcomes) as priced_trials,
        sum(is_success * priced_outcomes) as priced_successes,
        sum(is_trial * cost_nano_usd) as priced_cost_nano_usd,
        sum(is_trial * cost_carry) as priced_cost_carry,
        sum(cost_nano_usd) as total_cost_nano_usd,
        sum(cost_carry) as total_cost_carry
    from days
    group by outcome_date, task_type, model_id, agent, effort, variant
    having sum(outcomes) > 0

),

configurations as (

    select
        task_type,
        model_id,
        agent,
        effort,
        variant,
        sum(trials) as trials,
        sum(successes) as successes,
        sum(outcomes) - sum(trials) as infrastructure_failures,
        sum(priced_trials) as priced_trials,
        sum(priced_successes) as priced_successes,
        sum(priced_cost_nano_usd) as priced_cost_nano_usd,
        sum(priced_cost_carry) as priced_cost_carry,
        sum(total_cost_nano_usd) as total_cost_nano_usd,
        sum(total_cost_carry) as total_cost_carry,
        min(outcome_date) as first_outcome_date,
        max(outcome_date) as last_outcome_date
    from counted_days
    group by task_type, model_id, agent, effort, variant

),

costed as (

    select
        *,
        {{ ratio('successes', 'trials') }} as success_rate,
        {{ wilson_lower('successes', 'trials') }} as success_rate_lower,
        {{ wilson_upper('successes', 'trials') }} as success_rate_upper,
        {{ to_usd('priced_cost_nano_usd', 'priced_cost_carry') }} as priced_cost_usd,
        case
            when priced_trials > 0 or total_cost_nano_usd > 0 or total_cost_carry > 0
                then {{ to_usd('total_cost_nano_usd', 'total_cost_carry') }}
        end as total_cost,
        {{ cost_per_success(to_usd('priced_cost_nano_usd', 'priced_cost_carry'), 'priced_successes') }}
            as cost_per_success,
        case when trials >= {{ var('min_samples') }} then 1 else 0 end as is_eligible
    from configurations

),

ranked as (

    select
        task_type,
        model_id,
        agent,
        effort,
        variant,
        is_eligible,
        case
            when is_eligible = 1
                then row_number() over (
                    partition by task_type, is_eligible
                    order by
                        success_rate_lower desc,
                        trials desc,
                        case when cost_per_success is null then 1 else 0 end,
                        cost_per_success,
                        model_id,
                        agent,
                        effort,
                        variant
                )
        end as rank,
        sum(is_eligible) over (partition by task_type) as eligible_configurations,
        trials,
        successes,
        success_rate,
        success_rate_lower,
        success_rate_upper,
        infrastructure_failures,
        total_cost,
        cost_per_success,
        priced_trials,
        priced_successes,
        priced_cost_usd,
        first_outcome_date,
        last_outcome_date
    from costed

)

select * from ranked

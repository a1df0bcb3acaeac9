with comparisons as (

    select * from {{ ref('int_comparisons_listed') }}
    where is_declared = 0

),

days as (

    select * from {{ ref('int_outcomes_daily_attributed') }}
    where is_trial = 1

),

trials as (

    select * from {{ ref('int_experiment_trials') }}

),

combined as (

    select
        experiment_id,
        outcome_date,
        task_type,
        agent,
        effort,
        variant,
        arm,
        1 as trials,
        is_success as wins,
        is_metered as metered_trials,
        {{ rest_of('tokens_used') }} as metered_tokens,
        {{ carry_of('tokens_used') }} as metered_tokens_carry,
        is_priced as priced_trials,
        {{ rest_of('cost_nano_usd') }} as priced_cost_nano_usd,
        {{ carry_of('cost_nano_usd') }} as priced_cost_carry
    from trials
    union all
    select
        comparisons.experiment_id,
        days.outcome_date,
        days.task_type,
        days.agent,
        days.effort,
        days.variant,
        case when days.model_id = comparisons.challenger_model_id then 'challenger' else 'incumbent' end as arm,
        days.outcomes as trials,
        days.is_success * days.outcomes as wins,
        days.metered_outcomes as metered_trials,
        days.tokens_used as metered_tokens,
        days.tokens_carry as metered_tokens_carry,
        days.priced_outcomes as priced_trials,
        days.cost_nano_usd as priced_cost_nano_usd,
        days.cost_carry as priced_cost_carry
    from comparisons
    inner join days
        on
            comparisons.task_type = days.task_type
            and days.model_id in (comparisons.incumbent_model_id, comparisons.challenger_model_id)

),

counted as (

    select
        experiment_id,
        outcome_date,
        task_type,
        agent,
        effort,
        variant,
        arm,
        sum(trials) as trials,
        sum(wins) as wins,
        sum(metered_trials) as metered_trials,
        sum(metered_tokens) as metered_tokens,
        sum(metered_tokens_carry) as metered_tokens_carry,
        sum(priced_trials) as priced_trials,
        sum(priced_cost_nano_usd) as priced_cost_nano_usd,
        sum(priced_cost_carry) as priced_cost_carry
    from combined
    group by experiment_id, outcome_date, task_type, agent, effort, variant, arm
    having sum(trials) > 0

)

select * from counted

with trials as (

    select * from {{ ref('int_experiment_trials') }}

),

arms as (

    select distinct experiment_id, arm, model_id from {{ ref('int_experiment_arms') }}

),

totalled as (

    select
        experiment_id,
        arm,
        count(*) as trials,
        sum(is_success) as wins,
        {{ ratio('sum(tokens_used)', 'sum(is_metered)') }} as avg_tokens,
        {{ ratio(to_usd('sum(cost_nano_usd)'), 'sum(is_priced)') }} as avg_cost
    from trials
    group by experiment_id, arm

),

rated as (

    select
        arms.experiment_id,
        arms.arm,
        arms.model_id,
        coalesce(totalled.trials, 0) as trials,
        coalesce(totalled.wins, 0) as wins,
        {{ ratio('totalled.wins', 'totalled.trials') }} as success_rate,
        {{ wilson_lower('totalled.wins', 'totalled.trials') }} as success_rate_lower,
        {{ wilson_upper('totalled.wins', 'totalled.trials') }} as success_rate_upper,
        totalled.avg_tokens,
        totalled.avg_cost
    from arms
    left join totalled on arms.experiment_id = totalled.experiment_id and arms.arm = totalled.arm

)

select * from rated

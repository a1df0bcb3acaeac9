with comparisons as (

    select * from {{ ref('int_comparisons_listed') }}
    where is_declared = 0

),

days as (

    select * from {{ ref('int_model_days_counted') }}
    where trials > 0

),

trials as (

    select * from {{ ref('int_experiment_trials') }}

),

counted as (

    select
        experiment_id,
        outcome_date,
        task_type,
        arm,
        count(*) as trials,
        sum(is_success) as wins,
        sum(is_metered) as metered_trials,
        sum({{ rest_of('tokens_used') }}) as metered_tokens,
        sum({{ carry_of('tokens_used') }}) as metered_tokens_carry,
        sum(is_priced) as priced_trials,
        sum({{ rest_of('cost_nano_usd') }}) as priced_cost_nano_usd,
        sum({{ carry_of('cost_nano_usd') }}) as priced_cost_carry
    from trials
    group by experiment_id, outcome_date, task_type, arm
    union all
    select
        comparisons.experiment_id,
        days.outcome_date,
        days.task_type,
        case when days.model_id = comparisons.challenger_model_id then 'challenger' else 'incumbent' end as arm,
        days.trials,
        days.successes as wins,
        days.metered_trials,
        days.metered_tokens,
        days.metered_tokens_carry,
        days.priced_trials,
        days.priced_cost_nano_usd,
        days.priced_cost_carry
    from comparisons
    inner join days
        on
            comparisons.task_type = days.task_type
            and days.model_id in (comparisons.incumbent_model_id, comparisons.challenger_model_id)

)

select * from counted

with accumulated as (

    select * from {{ ref('int_rank_days_accumulated') }}
    where trials >= {{ var('min_samples') }}

),

rated as (

    select
        *,
        {{ ratio('successes', 'trials') }} as success_rate,
        {{ wilson_lower('successes', 'trials') }} as success_rate_lower,
        {{ cost_per_success(to_usd('priced_cost_nano_usd', 'priced_cost_carry'), 'priced_successes') }}
            as cost_per_success
    from accumulated

),

-- The order of int_models_ranked. The leader comes from the same window, which saves a join. The row number has a
-- window of its own, because Spark's row_number() must end at its own row.
ordered as (

    select
        task_type,
        outcome_date,
        model_id,
        trials,
        successes,
        success_rate,
        success_rate_lower,
        row_number() over by_rank as rank,
        count(*) over of_the_day as eligible_models,
        first_value(model_id) over by_rank as leader_model_id,
        first_value(trials) over by_rank as leader_trials,
        first_value(successes) over by_rank as leader_successes
    from rated
    window
        by_rank as (
            partition by task_type, outcome_date
            order by
                success_rate_lower desc,
                trials desc,
                case when cost_per_success is null then 1 else 0 end,
                cost_per_success,
                model_id
            rows unbounded preceding
        ),
        of_the_day as (partition by task_type, outcome_date)

)

select * from ordered

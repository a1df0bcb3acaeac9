with counted as (

    select * from {{ ref('int_comparisons_counted') }}

),

averaged as (

    select
        experiment_id,
        {{ ratio(
            to_double(
                "sum(case when arm = 'incumbent' then metered_tokens end)",
                "sum(case when arm = 'incumbent' then metered_tokens_carry end)"
            ),
            "sum(case when arm = 'incumbent' then metered_trials end)"
        ) }} as incumbent_avg_tokens,
        {{ ratio(
            to_usd(
                "sum(case when arm = 'incumbent' then priced_cost_nano_usd end)",
                "sum(case when arm = 'incumbent' then priced_cost_carry end)"
            ),
            "sum(case when arm = 'incumbent' then priced_trials end)"
        ) }} as incumbent_avg_cost,
        {{ ratio(
            to_double(
                "sum(case when arm = 'challenger' then metered_tokens end)",
                "sum(case when arm = 'challenger' then metered_tokens_carry end)"
            ),
            "sum(case when arm = 'challenger' then metered_trials end)"
        ) }} as challenger_avg_tokens,
        {{ ratio(
            to_usd(
                "sum(case when arm = 'challenger' then priced_cost_nano_usd end)",
                "sum(case when arm = 'challenger' then priced_cost_carry end)"
            ),
            "sum(case when arm = 'challenger' then priced_trials end)"
        ) }} as challenger_avg_cost
    from counted
    group by experiment_id

)

select * from averaged

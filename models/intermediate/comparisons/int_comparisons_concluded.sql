with comparisons as (

    select * from {{ ref('int_comparisons_listed') }}

),

last_days as (

    select * from {{ ref('int_comparisons_judged') }}
    where days_from_last = 1

),

counted as (

    select * from {{ ref('int_comparisons_counted') }}

),

arms_of_configurations as (

    select
        experiment_id,
        task_type,
        agent,
        effort,
        variant,
        case when min(arm) <> max(arm) then 1 else 0 end as is_shared
    from {{ ref('int_comparisons_counted') }}
    group by experiment_id, task_type, agent, effort, variant

),

shared_configurations as (

    select
        experiment_id,
        max(is_shared) as has_shared_configuration
    from arms_of_configurations
    group by experiment_id

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

),

joined as (

    select
        comparisons.experiment_id as comparison_id,
        comparisons.is_declared,
        comparisons.task_type,
        comparisons.incumbent_model_id,
        comparisons.challenger_model_id,
        comparisons.started_at,
        comparisons.ended_at,
        comparisons.challenger_share,
        averaged.incumbent_avg_tokens,
        averaged.incumbent_avg_cost,
        averaged.challenger_avg_tokens,
        averaged.challenger_avg_cost,
        shared_configurations.has_shared_configuration,
        last_days.*,
        last_days.incumbent_trials + last_days.challenger_trials as trials
    from comparisons
    left join averaged on comparisons.experiment_id = averaged.experiment_id
    left join shared_configurations on comparisons.experiment_id = shared_configurations.experiment_id
    left join last_days on comparisons.experiment_id = last_days.experiment_id

),

concluded as (

    select
        *,
        {{ trials_to_separate(
            'shared_incumbent_trials', 'shared_challenger_trials', 'squared_z', alpha=var('alpha') ~ ' / candidate_pairs'
        ) }} as trials_to_separate,
        {{ e_value(traffic_squared_z('challenger_trials', 'trials', 'challenger_share'), 'trials') }}
            as traffic_e_value,
        count(adjusted_p_value) over (partition by task_type) as comparisons,
        row_number() over (
            partition by task_type
            order by case when adjusted_p_value is null then 1 else 0 end, adjusted_p_value, comparison_id
        ) as p_value_rank
    from joined

)

select * from concluded

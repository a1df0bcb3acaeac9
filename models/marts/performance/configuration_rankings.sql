with configurations as (

    select * from {{ ref('int_configurations_counted') }}

),

rankings as (

    select
        task_type,
        model_id,
        agent,
        effort,
        variant,
        is_eligible,
        rank,
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
    from configurations

)

select * from rankings

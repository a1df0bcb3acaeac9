with counted as (

    select * from {{ ref('int_model_days_counted') }}
    where outcome_date < {{ today() }}

),

-- Not from `counted`: SQLite copies a CTE that is read more than once, and a copy lacks the table's index.
days as (

    select distinct task_type, outcome_date from {{ ref('int_model_days_counted') }}
    where outcome_date < {{ today() }}

),

eligible as (

    select
        task_type,
        model_id,
        min(outcome_date) as first_date,
        sum(trials) as trials
    from {{ ref('int_model_days_counted') }}
    where outcome_date < {{ today() }}
    group by task_type, model_id
    having sum(trials) >= {{ var('min_samples') }}

),

-- The product of models and days has no limit if every run uses a new model name.
placed as (

    select
        *,
        row_number() over (partition by task_type order by trials desc, model_id) as place
    from eligible

),

models as (

    select * from placed
    where place <= {{ var('max_ranked_models') }}

),

-- Every model that is eligible now, on every day of its task type since its first: on a day without trials of the
-- model, its earlier trials still count.
daily as (

    select
        days.task_type,
        days.outcome_date,
        models.model_id,
        coalesce(counted.trials, 0) as trials,
        coalesce(counted.successes, 0) as successes,
        coalesce(counted.priced_successes, 0) as priced_successes,
        coalesce(counted.priced_cost_nano_usd, 0) as priced_cost_nano_usd,
        coalesce(counted.priced_cost_carry, 0) as priced_cost_carry
    from models
    inner join days on models.task_type = days.task_type and models.first_date <= days.outcome_date
    left join counted
        on
            models.task_type = counted.task_type
            and models.model_id = counted.model_id
            and days.outcome_date = counted.outcome_date

),

accumulated as (

    select
        task_type,
        outcome_date,
        model_id,
        sum(trials) over so_far as trials,
        sum(successes) over so_far as successes,
        sum(priced_successes) over so_far as priced_successes,
        sum(priced_cost_nano_usd) over so_far as priced_cost_nano_usd,
        sum(priced_cost_carry) over so_far as priced_cost_carry
    from daily
    window so_far as (partition by task_type, model_id order by outcome_date rows unbounded preceding)

),

rated as (

    select
        *,
        {{ ratio('successes', 'trials') }} as success_rate,
        {{ wilson_lower('successes', 'trials') }} as success_rate_lower,
        {{ cost_per_success(to_usd('priced_cost_nano_usd', 'priced_cost_carry'), 'priced_successes') }}
            as cost_per_success
    from accumulated
    where trials >= {{ var('min_samples') }}

),

-- The order of int_models_ranked.
ordered as (

    select
        task_type,
        outcome_date,
        model_id,
        trials,
        successes,
        success_rate,
        success_rate_lower,
        row_number() over (
            partition by task_type, outcome_date
            order by
                success_rate_lower desc,
                trials desc,
                case when cost_per_success is null then 1 else 0 end,
                cost_per_success,
                model_id
        ) as rank
    from rated

)

select * from ordered

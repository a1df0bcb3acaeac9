with counted as (

    select * from {{ ref('int_comparisons_counted') }}

),

-- Not from `counted`: SQLite copies a CTE that is read twice, and a copy lacks the table's index.
days as (

    select distinct experiment_id, outcome_date from {{ ref('int_comparisons_counted') }}

),

task_types as (

    select distinct experiment_id, task_type from {{ ref('int_comparisons_counted') }}

),

-- Every task type on every day: on a day without a trial, the earlier trials still count.
daily as (

    select
        days.experiment_id,
        days.outcome_date,
        task_types.task_type,
        sum(case when counted.arm = 'incumbent' then counted.trials else 0 end) as incumbent_trials,
        sum(case when counted.arm = 'incumbent' then counted.wins else 0 end) as incumbent_wins,
        sum(case when counted.arm = 'challenger' then counted.trials else 0 end) as challenger_trials,
        sum(case when counted.arm = 'challenger' then counted.wins else 0 end) as challenger_wins
    from days
    inner join task_types on days.experiment_id = task_types.experiment_id
    left join counted
        on
            days.experiment_id = counted.experiment_id
            and days.outcome_date = counted.outcome_date
            and task_types.task_type = counted.task_type
    group by days.experiment_id, days.outcome_date, task_types.task_type

),

accumulated as (

    select
        experiment_id,
        outcome_date,
        task_type,
        sum(incumbent_trials) over so_far as incumbent_trials,
        sum(incumbent_wins) over so_far as incumbent_wins,
        sum(challenger_trials) over so_far as challenger_trials,
        sum(challenger_wins) over so_far as challenger_wins
    from daily
    window so_far as (partition by experiment_id, task_type order by outcome_date rows unbounded preceding)

),

strata as (

    select
        *,
        case when incumbent_trials > 0 and challenger_trials > 0 then 1 else 0 end as is_shared,
        incumbent_trials + challenger_trials as trials,
        {{ ratio('challenger_wins', 'challenger_trials') }} - {{ ratio('incumbent_wins', 'incumbent_trials') }}
            as difference,
        {{ sequential_squared_error(
            'incumbent_wins', 'incumbent_trials', 'challenger_wins', 'challenger_trials'
        ) }} as squared_error
    from accumulated

),

-- Differences and errors are null at task types that only one arm has tried.
summed as (

    select
        experiment_id,
        outcome_date,
        sum(incumbent_trials) as incumbent_trials,
        sum(incumbent_wins) as incumbent_wins,
        sum(challenger_trials) as challenger_trials,
        sum(challenger_wins) as challenger_wins,
        sum(is_shared * incumbent_trials) as shared_incumbent_trials,
        sum(is_shared * challenger_trials) as shared_challenger_trials,
        sum(is_shared * trials) as shared_trials,
        sum(trials * difference) as weighted_difference,
        case when count(squared_error) = sum(is_shared) then sum({{ double('trials') }} * trials * squared_error) end
            as weighted_squared_error
    from strata
    group by experiment_id, outcome_date

),

stratified as (

    select
        experiment_id,
        outcome_date,
        incumbent_trials,
        incumbent_wins,
        challenger_trials,
        challenger_wins,
        shared_incumbent_trials,
        shared_challenger_trials,
        shared_trials,
        {{ ratio('challenger_wins', 'challenger_trials') }} - {{ ratio('incumbent_wins', 'incumbent_trials') }}
            as naive_difference,
        {{ ratio('weighted_difference', 'shared_trials') }} as difference,
        {{ ratio('weighted_squared_error', double('shared_trials') ~ ' * shared_trials') }} as squared_error
    from summed

)

select * from stratified

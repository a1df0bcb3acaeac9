with counted as (

    select * from {{ ref('int_comparisons_counted') }}

),

days as (

    select distinct experiment_id, outcome_date from counted

),

strata as (

    select distinct experiment_id, task_type from counted

),

-- Every task type on every day: on a day without a trial, the earlier trials still count.
daily as (

    select
        days.experiment_id,
        days.outcome_date,
        strata.task_type,
        sum(case when counted.arm = 'incumbent' then counted.trials else 0 end) as incumbent_trials,
        sum(case when counted.arm = 'incumbent' then counted.wins else 0 end) as incumbent_wins,
        sum(case when counted.arm = 'challenger' then counted.trials else 0 end) as challenger_trials,
        sum(case when counted.arm = 'challenger' then counted.wins else 0 end) as challenger_wins
    from days
    inner join strata on days.experiment_id = strata.experiment_id
    left join counted
        on
            days.experiment_id = counted.experiment_id
            and days.outcome_date = counted.outcome_date
            and strata.task_type = counted.task_type
    group by days.experiment_id, days.outcome_date, strata.task_type

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

)

select * from accumulated

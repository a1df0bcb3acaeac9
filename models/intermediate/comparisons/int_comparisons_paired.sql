with tries as (

    select * from {{ ref('int_comparison_tries') }}

),

-- A task counts from the day on which the second arm tried it, with the first try of each arm.
shared as (

    select
        experiment_id,
        max(outcome_date) as outcome_date,
        task_id,
        max(case when arm = 'incumbent' then is_success end) as incumbent_succeeded,
        max(case when arm = 'challenger' then is_success end) as challenger_succeeded
    from tries
    where try_number = 1
    group by experiment_id, task_type, agent, effort, variant, task_id

),

tasks as (

    select
        *,
        incumbent_succeeded * challenger_succeeded as both_succeeded,
        incumbent_succeeded * (1 - challenger_succeeded) as only_incumbent_succeeded,
        (1 - incumbent_succeeded) * challenger_succeeded as only_challenger_succeeded,
        (1 - incumbent_succeeded) * (1 - challenger_succeeded) as neither_succeeded
    from shared

),

days as (

    select distinct experiment_id, outcome_date from {{ ref('int_comparisons_counted') }}

),

daily as (

    select
        days.experiment_id,
        days.outcome_date,
        count(tasks.task_id) as pairs,
        sum(tasks.both_succeeded) as both_succeeded,
        sum(tasks.only_incumbent_succeeded) as only_incumbent_succeeded,
        sum(tasks.only_challenger_succeeded) as only_challenger_succeeded,
        sum(tasks.neither_succeeded) as neither_succeeded
    from days
    left join tasks on days.experiment_id = tasks.experiment_id and days.outcome_date = tasks.outcome_date
    group by days.experiment_id, days.outcome_date

),

accumulated as (

    select
        experiment_id,
        outcome_date,
        sum(pairs) over so_far as pairs,
        sum(both_succeeded) over so_far as both_succeeded,
        sum(only_incumbent_succeeded) over so_far as only_incumbent_succeeded,
        sum(only_challenger_succeeded) over so_far as only_challenger_succeeded,
        sum(neither_succeeded) over so_far as neither_succeeded
    from daily
    window so_far as (partition by experiment_id order by outcome_date rows unbounded preceding)

),

paired as (

    select
        *,
        {{ mcnemar('only_incumbent_succeeded', 'only_challenger_succeeded') }} as mcnemar_statistic,
        {{ ratio('only_challenger_succeeded - only_incumbent_succeeded', 'pairs') }} as paired_difference,
        {{ sequential_half_width(
            paired_squared_error('pairs', 'only_incumbent_succeeded', 'only_challenger_succeeded'), 'pairs'
        ) }} as paired_half_width
    from accumulated

)

select * from paired

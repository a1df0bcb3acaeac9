with counted as (

    select * from {{ ref('int_comparisons_counted') }}

),

-- Not from `counted`: SQLite copies a CTE that is read twice, and a copy lacks the table's index.
days as (

    select
        experiment_id,
        outcome_date,
        sum(case when arm = 'incumbent' then trials else 0 end) as incumbent_trials,
        sum(case when arm = 'incumbent' then wins else 0 end) as incumbent_wins,
        sum(case when arm = 'challenger' then trials else 0 end) as challenger_trials,
        sum(case when arm = 'challenger' then wins else 0 end) as challenger_wins
    from {{ ref('int_comparisons_counted') }}
    group by experiment_id, outcome_date

),

-- The configurations that are compared by task.
by_task as (

    select distinct
        experiment_id,
        task_type,
        agent,
        effort,
        variant
    from {{ ref('int_comparison_tries') }}
    where has_task_strata = 1

),

-- Counts of one day. A stratum that is a day has one row, a stratum that is a task has one for each day.
strata as (

    select
        counted.experiment_id,
        counted.task_type,
        counted.agent,
        counted.effort,
        counted.variant,
        counted.outcome_date as stratum,
        counted.outcome_date,
        case when counted.arm = 'incumbent' then counted.trials else 0 end as incumbent_trials,
        case when counted.arm = 'incumbent' then counted.wins else 0 end as incumbent_wins,
        case when counted.arm = 'challenger' then counted.trials else 0 end as challenger_trials,
        case when counted.arm = 'challenger' then counted.wins else 0 end as challenger_wins
    from counted
    left join by_task
        on
            counted.experiment_id = by_task.experiment_id
            and counted.task_type = by_task.task_type
            and counted.agent = by_task.agent
            and counted.effort = by_task.effort
            and counted.variant = by_task.variant
    where by_task.experiment_id is null
    union all
    select
        tries.experiment_id,
        tries.task_type,
        tries.agent,
        tries.effort,
        tries.variant,
        tries.task_id as stratum,
        tries.outcome_date,
        case when tries.arm = 'incumbent' then 1 else 0 end as incumbent_trials,
        case when tries.arm = 'incumbent' then tries.is_success else 0 end as incumbent_wins,
        case when tries.arm = 'challenger' then 1 else 0 end as challenger_trials,
        case when tries.arm = 'challenger' then tries.is_success else 0 end as challenger_wins
    from {{ ref('int_comparison_tries') }} as tries
    inner join by_task
        on
            tries.experiment_id = by_task.experiment_id
            and tries.task_type = by_task.task_type
            and tries.agent = by_task.agent
            and tries.effort = by_task.effort
            and tries.variant = by_task.variant

),

daily as (

    select
        experiment_id,
        task_type,
        agent,
        effort,
        variant,
        stratum,
        outcome_date,
        sum(incumbent_trials) as incumbent_trials,
        sum(incumbent_wins) as incumbent_wins,
        sum(challenger_trials) as challenger_trials,
        sum(challenger_wins) as challenger_wins
    from strata
    group by experiment_id, task_type, agent, effort, variant, stratum, outcome_date

),

accumulated as (

    select
        experiment_id,
        task_type,
        agent,
        effort,
        variant,
        stratum,
        outcome_date,
        sum(incumbent_trials) over so_far as incumbent_trials,
        sum(incumbent_wins) over so_far as incumbent_wins,
        sum(challenger_trials) over so_far as challenger_trials,
        sum(challenger_wins) over so_far as challenger_wins
    from daily
    window so_far as (
        partition by experiment_id, task_type, agent, effort, variant, stratum
        order by outcome_date
        rows unbounded preceding
    )

),

weighed as (

    select
        *,
        case when incumbent_trials > 0 and challenger_trials > 0 then 1 else 0 end as is_shared,
        {{ stratum_weight('incumbent_trials', 'challenger_trials') }} as weight,
        {{ stratum_difference('incumbent_wins', 'incumbent_trials', 'challenger_wins', 'challenger_trials') }}
            as difference,
        {{ stratum_variance('incumbent_wins', 'incumbent_trials', 'challenger_wins', 'challenger_trials') }}
            as variance
    from accumulated

),

-- The terms of the sums over strata, as of a day.
termed as (

    select
        experiment_id,
        task_type,
        agent,
        effort,
        variant,
        stratum,
        outcome_date,
        is_shared as strata,
        is_shared * incumbent_trials as shared_incumbent_trials,
        is_shared * challenger_trials as shared_challenger_trials,
        weight,
        weight * difference as weighted_difference,
        variance,
        weight * weight as squared_weights,
        weight * weight * difference as signed_differences,
        weight * weight * difference * difference as squared_differences
    from weighed

),

-- A task that is tried again changes its terms: each day counts the difference from the day before.
changed as (

    select
        experiment_id,
        outcome_date,
        strata - coalesce(lag(strata) over of_the_stratum, 0) as strata,
        shared_incumbent_trials - coalesce(lag(shared_incumbent_trials) over of_the_stratum, 0)
            as shared_incumbent_trials,
        shared_challenger_trials - coalesce(lag(shared_challenger_trials) over of_the_stratum, 0)
            as shared_challenger_trials,
        weight - coalesce(lag(weight) over of_the_stratum, 0e0) as weight,
        weighted_difference - coalesce(lag(weighted_difference) over of_the_stratum, 0e0) as weighted_difference,
        variance - coalesce(lag(variance) over of_the_stratum, 0e0) as variance,
        squared_weights - coalesce(lag(squared_weights) over of_the_stratum, 0e0) as squared_weights,
        signed_differences - coalesce(lag(signed_differences) over of_the_stratum, 0e0) as signed_differences,
        squared_differences - coalesce(lag(squared_differences) over of_the_stratum, 0e0) as squared_differences
    from termed
    window of_the_stratum as (
        partition by experiment_id, task_type, agent, effort, variant, stratum
        order by outcome_date
    )

),

totalled as (

    select
        experiment_id,
        outcome_date,
        sum(strata) as strata,
        sum(shared_incumbent_trials) as shared_incumbent_trials,
        sum(shared_challenger_trials) as shared_challenger_trials,
        sum(weight) as weight,
        sum(weighted_difference) as weighted_difference,
        sum(variance) as variance,
        sum(squared_weights) as squared_weights,
        sum(signed_differences) as signed_differences,
        sum(squared_differences) as squared_differences
    from changed
    group by experiment_id, outcome_date

),

summed as (

    select
        days.experiment_id,
        days.outcome_date,
        sum(days.incumbent_trials) over so_far as incumbent_trials,
        sum(days.incumbent_wins) over so_far as incumbent_wins,
        sum(days.challenger_trials) over so_far as challenger_trials,
        sum(days.challenger_wins) over so_far as challenger_wins,
        coalesce(sum(totalled.strata) over so_far, 0) as strata,
        coalesce(sum(totalled.shared_incumbent_trials) over so_far, 0) as shared_incumbent_trials,
        coalesce(sum(totalled.shared_challenger_trials) over so_far, 0) as shared_challenger_trials,
        sum(totalled.weight) over so_far as weight,
        sum(totalled.weighted_difference) over so_far as weighted_difference,
        sum(totalled.variance) over so_far as variance,
        sum(totalled.squared_weights) over so_far as squared_weights,
        sum(totalled.signed_differences) over so_far as signed_differences,
        sum(totalled.squared_differences) over so_far as squared_differences
    from days
    left join totalled on days.experiment_id = totalled.experiment_id and days.outcome_date = totalled.outcome_date
    window so_far as (partition by days.experiment_id order by days.outcome_date rows unbounded preceding)

),

-- Without a common stratum the rests of the differences are not quite 0.
estimated as (

    select
        *,
        {{ ratio('challenger_wins', 'challenger_trials') }} - {{ ratio('incumbent_wins', 'incumbent_trials') }}
            as naive_difference,
        case when strata > 0 then {{ ratio('weighted_difference', 'weight') }} end as stratified_difference
    from summed

),

stratified as (

    select
        experiment_id,
        outcome_date,
        incumbent_trials,
        incumbent_wins,
        challenger_trials,
        challenger_wins,
        strata,
        {{ by_sequential_mode('shared_incumbent_trials', 'incumbent_trials') }} as shared_incumbent_trials,
        {{ by_sequential_mode('shared_challenger_trials', 'challenger_trials') }} as shared_challenger_trials,
        {{ by_sequential_mode(
            'shared_incumbent_trials + shared_challenger_trials', 'incumbent_trials + challenger_trials'
        ) }} as shared_trials,
        naive_difference,
        {{ by_sequential_mode('stratified_difference', 'naive_difference') }} as difference,
        {{ by_sequential_mode(
            'case when strata > 0 then ' ~ stratified_squared_error(
                'variance',
                robust_variance(
                    'strata', 'stratified_difference', 'squared_differences', 'signed_differences', 'squared_weights'
                ),
                'weight'
            ) ~ ' end',
            sequential_squared_error('incumbent_wins', 'incumbent_trials', 'challenger_wins', 'challenger_trials')
        ) }} as squared_error
    from estimated

)

select * from stratified

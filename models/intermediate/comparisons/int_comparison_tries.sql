with comparisons as (

    select * from {{ ref('int_comparisons_listed') }}
    where is_declared = 0

),

-- Not from `comparisons`: SQLite copies a CTE that is read twice, and a copy lacks the table's index.
pairs as (

    select * from {{ ref('int_configuration_pairs') }}
    where shared_tasks > 0 and agent = other_agent and effort = other_effort and variant = other_variant

),

task_trials as (

    select * from {{ ref('int_task_trials') }}

),

experiment_trials as (

    select * from {{ ref('int_experiment_trials') }}
    where task_id is not null

),

-- The configurations in which a leader and its incumbent share tasks.
shared as (

    select
        comparisons.experiment_id,
        comparisons.task_type,
        comparisons.challenger_model_id,
        pairs.model_id,
        pairs.other_model_id,
        pairs.agent,
        pairs.effort,
        pairs.variant
    from comparisons
    inner join pairs
        on
            comparisons.task_type = pairs.task_type
            and (
                (
                    comparisons.incumbent_model_id = pairs.model_id
                    and comparisons.challenger_model_id = pairs.other_model_id
                )
                or (
                    comparisons.incumbent_model_id = pairs.other_model_id
                    and comparisons.challenger_model_id = pairs.model_id
                )
            )

),

combined as (

    select
        experiment_id,
        task_type,
        agent,
        effort,
        variant,
        task_id,
        arm,
        outcome_id,
        occurred_at,
        outcome_date,
        is_success
    from experiment_trials
    union all
    select
        shared.experiment_id,
        shared.task_type,
        shared.agent,
        shared.effort,
        shared.variant,
        task_trials.task_id,
        case when task_trials.model_id = shared.challenger_model_id then 'challenger' else 'incumbent' end as arm,
        task_trials.outcome_id,
        task_trials.occurred_at,
        task_trials.outcome_date,
        task_trials.is_success
    from shared
    inner join task_trials
        on
            shared.task_type = task_trials.task_type
            and task_trials.model_id in (shared.model_id, shared.other_model_id)
            and shared.agent = task_trials.agent
            and shared.effort = task_trials.effort
            and shared.variant = task_trials.variant

),

tries as (

    select
        *,
        row_number() over (
            partition by experiment_id, task_type, agent, effort, variant, task_id, arm
            order by occurred_at, outcome_id
        ) as try_number,
        min(case when arm = 'incumbent' then 1 else 0 end) over of_the_task as has_incumbent_only,
        max(case when arm = 'incumbent' then 1 else 0 end) over of_the_task as has_incumbent
    from combined
    window of_the_task as (partition by experiment_id, task_type, agent, effort, variant, task_id)

),

counted as (

    select
        *,
        sum(case when try_number = 1 and arm = 'incumbent' then 1 else 0 end) over of_the_configuration
            as incumbent_tasks,
        sum(case when try_number = 1 and arm = 'challenger' then 1 else 0 end) over of_the_configuration
            as challenger_tasks,
        sum(
            case when try_number = 1 and arm = 'incumbent' and has_incumbent_only = 0 then 1 else 0 end
        ) over of_the_configuration as shared_tasks
    from tries
    window of_the_configuration as (partition by experiment_id, task_type, agent, effort, variant)

),

-- Only the tasks that both arms tried.
shared_tries as (

    select
        experiment_id,
        task_type,
        agent,
        effort,
        variant,
        task_id,
        arm,
        outcome_id,
        outcome_date,
        is_success,
        try_number,
        {{ is_compared_by_task('shared_tasks', 'incumbent_tasks', 'challenger_tasks') }} as has_task_strata
    from counted
    where has_incumbent = 1 and has_incumbent_only = 0

)

select * from shared_tries

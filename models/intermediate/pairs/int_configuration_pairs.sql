with blocks as (

    select * from {{ ref('int_pair_blocks') }}
    where
        strata > 0
        and (model_id <> other_model_id or agent <> other_agent or effort <> other_effort or variant <> other_variant)

),

summed as (

    select
        task_type,
        model_id,
        agent,
        effort,
        variant,
        other_model_id,
        other_agent,
        other_effort,
        other_variant,
        stratum_kind,
        sum(strata) as strata,
        sum(trials) as trials,
        sum(successes) as successes,
        sum(other_trials) as other_trials,
        sum(other_successes) as other_successes,
        sum(total_weight) as total_weight,
        sum(weighted_difference) as weighted_difference,
        sum(variance) as variance,
        sum(squared_weights) as squared_weights,
        sum(signed_differences) as signed_differences,
        sum(squared_differences) as squared_differences,
        sum(only_share) as only_share,
        sum(only_other_share) as only_other_share,
        sum(both_succeeded) as both_succeeded,
        sum(only_model_succeeded) as only_model_succeeded,
        sum(only_other_succeeded) as only_other_succeeded,
        sum(neither_succeeded) as neither_succeeded
    from blocks
    group by
        task_type,
        model_id,
        agent,
        effort,
        variant,
        other_model_id,
        other_agent,
        other_effort,
        other_variant,
        stratum_kind

),

configurations as (

    select
        task_type,
        model_id,
        agent,
        effort,
        variant,
        sum(strata) as tasks
    from {{ ref('int_pair_blocks') }}
    where
        stratum_kind = 'task'
        and model_id = other_model_id and agent = other_agent and effort = other_effort and variant = other_variant
    group by task_type, model_id, agent, effort, variant

),

-- Not from `configurations`: SQLite copies a CTE that is read twice, and then joins without an index.
other_configurations as (

    select
        task_type,
        model_id,
        agent,
        effort,
        variant,
        sum(strata) as tasks
    from {{ ref('int_pair_blocks') }}
    where
        stratum_kind = 'task'
        and model_id = other_model_id and agent = other_agent and effort = other_effort and variant = other_variant
    group by task_type, model_id, agent, effort, variant

),

shared as (

    select
        summed.*,
        case when summed.stratum_kind = 'task' then 1 else 0 end as is_task,
        coalesce(configurations.tasks, 0) as tasks,
        coalesce(other_configurations.tasks, 0) as other_tasks,
        max(case when summed.stratum_kind = 'task' then summed.strata else 0 end) over (
            partition by
                summed.task_type, summed.model_id, summed.agent, summed.effort, summed.variant,
                summed.other_model_id, summed.other_agent, summed.other_effort, summed.other_variant
        ) as shared_tasks
    from summed
    left join configurations
        on
            summed.task_type = configurations.task_type
            and summed.model_id = configurations.model_id
            and summed.agent = configurations.agent
            and summed.effort = configurations.effort
            and summed.variant = configurations.variant
    left join other_configurations
        on
            summed.task_type = other_configurations.task_type
            and summed.other_model_id = other_configurations.model_id
            and summed.other_agent = other_configurations.agent
            and summed.other_effort = other_configurations.effort
            and summed.other_variant = other_configurations.variant

),

-- The strata of a pair are either tasks or days.
chosen as (

    select
        *,
        case when {{ is_compared_by_task('shared_tasks', 'tasks', 'other_tasks') }} = is_task then 1 else 0 end
            as is_counted
    from shared

),

pairs as (

    select
        task_type,
        model_id,
        agent,
        effort,
        variant,
        other_model_id,
        other_agent,
        other_effort,
        other_variant,
        max(is_task * is_counted) as has_task_strata,
        sum(is_counted * strata) as strata,
        sum(is_counted * trials) as trials,
        sum(is_counted * successes) as successes,
        sum(is_counted * other_trials) as other_trials,
        sum(is_counted * other_successes) as other_successes,
        sum(is_counted * total_weight) as total_weight,
        sum(is_counted * weighted_difference) as weighted_difference,
        sum(is_counted * variance) as variance,
        sum(is_counted * squared_weights) as squared_weights,
        sum(is_counted * signed_differences) as signed_differences,
        sum(is_counted * squared_differences) as squared_differences,
        sum(is_task * strata) as shared_tasks,
        sum(case when is_task = 1 then only_share end) as only_share,
        sum(case when is_task = 1 then only_other_share end) as only_other_share,
        sum(both_succeeded) as both_succeeded,
        sum(only_model_succeeded) as only_model_succeeded,
        sum(only_other_succeeded) as only_other_succeeded,
        sum(neither_succeeded) as neither_succeeded
    from chosen
    group by
        task_type,
        model_id,
        agent,
        effort,
        variant,
        other_model_id,
        other_agent,
        other_effort,
        other_variant

)

select * from pairs

with pairs as (

    select * from {{ ref('int_configuration_pairs') }}
    where
        strata > 0
        and model_id = other_model_id
        and effort = other_effort
        and variant = other_variant
        and agent <> ''
        and other_agent <> ''

),

configurations as (

    select * from {{ ref('int_configurations_counted') }}
    where agent <> '' and trials > 0

),

agents as (

    select
        task_type,
        agent,
        sum(trials) as trials,
        sum(successes) as successes,
        case when sum(trials) >= {{ var('min_samples') }} then 1 else 0 end as is_eligible
    from configurations
    group by task_type, agent

),

counted_agents as (

    select
        *,
        sum(is_eligible) over (partition by task_type) as eligible_agents
    from agents

),

-- Each model is compared with itself, so that the difference is that of the agents alone.
summed as (

    select
        task_type,
        agent,
        other_agent,
        count(distinct model_id) as shared_models,
        sum(strata) as strata,
        sum(trials) as shared_trials,
        sum(other_trials) as other_shared_trials,
        sum(total_weight) as total_weight,
        sum(weighted_difference) as weighted_difference,
        sum(variance) as variance,
        sum(squared_weights) as squared_weights,
        sum(signed_differences) as signed_differences,
        sum(squared_differences) as squared_differences,
        sum(shared_tasks) as shared_tasks
    from pairs
    group by task_type, agent, other_agent

),

measured as (

    select
        summed.*,
        counted_agents.is_eligible * other_agents.is_eligible as is_eligible,
        case
            when counted_agents.eligible_agents > 2
                then cast(counted_agents.eligible_agents * (counted_agents.eligible_agents - 1) / 2 as bigint)
            else 1
        end as compared_pairs,
        counted_agents.trials,
        counted_agents.successes,
        {{ ratio('counted_agents.successes', 'counted_agents.trials') }} as success_rate,
        other_agents.trials as other_trials,
        other_agents.successes as other_successes,
        {{ ratio('other_agents.successes', 'other_agents.trials') }} as other_success_rate,
        {{ ratio('other_agents.successes', 'other_agents.trials') }}
        - {{ ratio('counted_agents.successes', 'counted_agents.trials') }} as naive_difference,
        {{ ratio('summed.weighted_difference', 'summed.total_weight') }} as stratified_difference
    from summed
    inner join counted_agents
        on summed.task_type = counted_agents.task_type and summed.agent = counted_agents.agent
    inner join counted_agents as other_agents
        on summed.task_type = other_agents.task_type and summed.other_agent = other_agents.agent

),

estimated as (

    select
        *,
        {{ by_sequential_mode('shared_trials', 'trials') }} as compared_trials,
        {{ by_sequential_mode('other_shared_trials', 'other_trials') }} as other_compared_trials,
        {{ by_sequential_mode('stratified_difference', 'naive_difference') }} as difference,
        {{ by_sequential_mode(
            stratified_squared_error(
                'variance',
                robust_variance(
                    'strata', 'stratified_difference', 'squared_differences', 'signed_differences', 'squared_weights'
                ),
                'total_weight'
            ),
            sequential_squared_error('successes', 'trials', 'other_successes', 'other_trials')
        ) }} as squared_error
    from measured

),

bounded as (

    select
        *,
        {{ squared_z('difference', 'squared_error') }} as squared_z,
        {{ sequential_half_width(
            'squared_error', 'compared_trials + other_compared_trials', alpha=var('alpha') ~ ' / compared_pairs'
        ) }} as half_width
    from estimated

),

compared as (

    select
        task_type,
        agent,
        other_agent,
        shared_models,
        trials,
        success_rate,
        other_trials,
        other_success_rate,
        naive_difference,
        naive_difference - difference as mix_difference,
        strata,
        shared_tasks,
        shared_trials,
        other_shared_trials,
        compared_pairs,
        difference,
        {{ at_least('difference - half_width', '-1e0') }} as difference_lower,
        {{ at_most('difference + half_width', '1e0') }} as difference_upper,
        {{ e_value('squared_z', 'compared_trials + other_compared_trials') }} as e_value,
        {{ is_confounded('naive_difference', 'difference', 'half_width') }} as is_confounded,
        case
            when is_eligible = 0 then 'too_few_trials'
            else {{ verdict(
                'compared_trials', 'other_compared_trials', 'strata', 'trials', 'other_trials',
                'difference - half_width', 'difference + half_width', 'compared_pairs'
            ) }}
        end as verdict
    from bounded

),

named as (

    select
        task_type,
        agent,
        other_agent,
        shared_models,
        trials,
        success_rate,
        other_trials,
        other_success_rate,
        naive_difference,
        mix_difference,
        strata,
        shared_tasks,
        shared_trials,
        other_shared_trials,
        compared_pairs,
        difference,
        difference_lower,
        difference_upper,
        e_value,
        case verdict
            when 'challenger_better' then 'other_better'
            when 'incumbent_better' then 'first_better'
            else verdict
        end as verdict,
        is_confounded
    from compared

)

select * from named

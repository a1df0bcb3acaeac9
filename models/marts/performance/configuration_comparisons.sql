with pairs as (

    select * from {{ ref('int_configuration_pairs') }}
    where strata > 0

),

configurations as (

    select * from {{ ref('int_configurations_counted') }}

),

measured as (

    select
        pairs.task_type,
        pairs.model_id,
        pairs.agent,
        pairs.effort,
        pairs.variant,
        pairs.other_model_id,
        pairs.other_agent,
        pairs.other_effort,
        pairs.other_variant,
        pairs.strata,
        pairs.trials as shared_trials,
        pairs.other_trials as other_shared_trials,
        pairs.total_weight,
        pairs.variance,
        pairs.squared_weights,
        pairs.signed_differences,
        pairs.squared_differences,
        pairs.shared_tasks,
        configurations.is_eligible * other_configurations.is_eligible as is_eligible,
        case
            when configurations.eligible_configurations > 2
                then cast(
                    configurations.eligible_configurations * (configurations.eligible_configurations - 1) / 2
                    as bigint
                )
            else 1
        end as compared_pairs,
        configurations.trials,
        configurations.successes,
        configurations.success_rate,
        other_configurations.trials as other_trials,
        other_configurations.successes as other_successes,
        other_configurations.success_rate as other_success_rate,
        other_configurations.success_rate - configurations.success_rate as naive_difference,
        {{ ratio('pairs.weighted_difference', 'pairs.total_weight') }} as stratified_difference
    from pairs
    inner join configurations
        on
            pairs.task_type = configurations.task_type
            and pairs.model_id = configurations.model_id
            and pairs.agent = configurations.agent
            and pairs.effort = configurations.effort
            and pairs.variant = configurations.variant
    inner join configurations as other_configurations
        on
            pairs.task_type = other_configurations.task_type
            and pairs.other_model_id = other_configurations.model_id
            and pairs.other_agent = other_configurations.agent
            and pairs.other_effort = other_configurations.effort
            and pairs.other_variant = other_configurations.variant

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
        model_id,
        agent,
        effort,
        variant,
        other_model_id,
        other_agent,
        other_effort,
        other_variant,
        substr(
            case when model_id <> other_model_id then ', model' else '' end
            || case when agent <> other_agent then ', agent' else '' end
            || case when effort <> other_effort then ', effort' else '' end
            || case when variant <> other_variant then ', variant' else '' end,
            3
        ) as differs_in,
        trials,
        success_rate,
        other_trials,
        other_success_rate,
        naive_difference,
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
        model_id,
        agent,
        effort,
        variant,
        other_model_id,
        other_agent,
        other_effort,
        other_variant,
        differs_in,
        trials,
        success_rate,
        other_trials,
        other_success_rate,
        naive_difference,
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

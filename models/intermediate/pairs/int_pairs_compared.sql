with configuration_pairs as (

    select * from {{ ref('int_configuration_pairs') }}

),

-- A model is compared inside each configuration that both models share.
summed as (

    select
        task_type,
        model_id,
        other_model_id,
        max(has_task_strata) as has_task_strata,
        max(1 - has_task_strata) as has_day_strata,
        sum(strata) as strata,
        sum(trials) as trials,
        sum(other_trials) as other_trials,
        sum(total_weight) as total_weight,
        sum(weighted_difference) as weighted_difference,
        sum(variance) as variance,
        sum(squared_weights) as squared_weights,
        sum(signed_differences) as signed_differences,
        sum(squared_differences) as squared_differences,
        sum(shared_tasks) as shared_tasks,
        sum(only_share) as only_share,
        sum(only_other_share) as only_other_share,
        sum(both_succeeded) as both_succeeded,
        sum(only_model_succeeded) as only_model_succeeded,
        sum(only_other_succeeded) as only_other_succeeded,
        sum(neither_succeeded) as neither_succeeded
    from configuration_pairs
    where model_id <> other_model_id and agent = other_agent and effort = other_effort and variant = other_variant
    group by task_type, model_id, other_model_id

),

-- Both directions, so that a reader finds the pair under either of its models.
directed as (

    select
        task_type,
        model_id,
        other_model_id as rival_model_id,
        has_task_strata,
        has_day_strata,
        strata,
        trials,
        other_trials as rival_trials,
        total_weight,
        weighted_difference,
        variance,
        squared_weights,
        signed_differences,
        squared_differences,
        shared_tasks,
        only_share,
        only_other_share as only_rival_share,
        both_succeeded,
        only_model_succeeded,
        only_other_succeeded as only_rival_succeeded,
        neither_succeeded
    from summed
    union all
    select
        task_type,
        other_model_id as model_id,
        model_id as rival_model_id,
        has_task_strata,
        has_day_strata,
        strata,
        other_trials as trials,
        trials as rival_trials,
        total_weight,
        -weighted_difference as weighted_difference,
        variance,
        squared_weights,
        -signed_differences as signed_differences,
        squared_differences,
        shared_tasks,
        only_other_share as only_share,
        only_share as only_rival_share,
        both_succeeded,
        only_other_succeeded as only_model_succeeded,
        only_model_succeeded as only_rival_succeeded,
        neither_succeeded
    from summed

),

models as (

    select
        *,
        row_number() over (
            partition by task_type
            order by is_eligible desc, logged_trials desc, model_id
        ) as place
    from {{ ref('int_models_ranked') }}
    where logged_trials > 0

),

rivals as (

    select
        *,
        row_number() over (
            partition by task_type
            order by is_eligible desc, logged_trials desc, model_id
        ) as place
    from {{ ref('int_models_ranked') }}
    where logged_trials > 0

),

listed as (

    select
        models.task_type,
        models.model_id,
        rivals.model_id as rival_model_id,
        models.is_eligible * rivals.is_eligible as is_eligible,
        models.eligible_models * (models.eligible_models - 1) / 2 as eligible_pairs,
        models.rank,
        rivals.rank as rival_rank,
        models.logged_trials,
        models.logged_successes,
        rivals.logged_trials as rival_logged_trials,
        rivals.logged_successes as rival_logged_successes
    from models
    inner join rivals on models.task_type = rivals.task_type and models.model_id <> rivals.model_id
    where
        models.place <= {{ var('max_paired_configurations') }}
        and rivals.place <= {{ var('max_paired_configurations') }}

),

measured as (

    select
        listed.*,
        case when listed.eligible_pairs > 1 then listed.eligible_pairs else 1 end as candidate_pairs,
        case
            when directed.has_task_strata = 1 and directed.has_day_strata = 1 then 'days and tasks'
            when directed.has_task_strata = 1 then 'tasks'
            when directed.strata > 0 then 'days'
        end as strata_name,
        coalesce(directed.strata, 0) as strata,
        {{ by_sequential_mode('coalesce(directed.trials, 0)', 'listed.logged_trials') }} as trials,
        {{ by_sequential_mode('coalesce(directed.rival_trials, 0)', 'listed.rival_logged_trials') }} as rival_trials,
        directed.total_weight,
        directed.variance,
        directed.squared_weights,
        directed.signed_differences,
        directed.squared_differences,
        coalesce(directed.shared_tasks, 0) as shared_tasks,
        directed.only_share,
        directed.only_rival_share,
        directed.both_succeeded,
        directed.only_model_succeeded,
        directed.only_rival_succeeded,
        directed.neither_succeeded,
        {{ ratio('listed.rival_logged_successes', 'listed.rival_logged_trials') }}
        - {{ ratio('listed.logged_successes', 'listed.logged_trials') }} as naive_difference,
        {{ ratio('directed.weighted_difference', 'directed.total_weight') }} as stratified_difference
    from listed
    left join directed
        on
            listed.task_type = directed.task_type
            and listed.model_id = directed.model_id
            and listed.rival_model_id = directed.rival_model_id

),

estimated as (

    select
        *,
        {{ by_sequential_mode('stratified_difference', 'naive_difference') }} as difference,
        {{ by_sequential_mode(
            stratified_squared_error(
                'variance',
                robust_variance(
                    'strata', 'stratified_difference', 'squared_differences', 'signed_differences', 'squared_weights'
                ),
                'total_weight'
            ),
            sequential_squared_error(
                'logged_successes', 'logged_trials', 'rival_logged_successes', 'rival_logged_trials'
            )
        ) }} as squared_error
    from measured

),

bounded as (

    select
        *,
        {{ squared_z('difference', 'squared_error') }} as squared_z,
        {{ sequential_half_width('squared_error', 'trials + rival_trials') }} as half_width,
        {{ sequential_half_width(
            'squared_error', 'trials + rival_trials', alpha=var('alpha') ~ ' / candidate_pairs'
        ) }} as half_width_of_pairs
    from estimated

),

compared as (

    select
        task_type,
        model_id,
        rival_model_id,
        is_eligible,
        candidate_pairs,
        rank,
        rival_rank,
        logged_trials,
        logged_successes,
        rival_logged_trials,
        rival_logged_successes,
        strata_name,
        strata,
        trials,
        rival_trials,
        shared_tasks,
        only_share,
        only_rival_share,
        both_succeeded,
        only_model_succeeded,
        only_rival_succeeded,
        neither_succeeded,
        naive_difference,
        difference,
        squared_error,
        squared_z,
        half_width_of_pairs,
        {{ at_least('difference - half_width', '-1e0') }} as difference_lower,
        {{ at_most('difference + half_width', '1e0') }} as difference_upper,
        {{ e_value('squared_z', 'trials + rival_trials') }} as e_value,
        {{ is_confounded('naive_difference', 'difference', 'half_width') }} as is_confounded,
        {{ verdict(
            'trials', 'rival_trials', 'strata', 'logged_trials', 'rival_logged_trials',
            'difference - half_width_of_pairs', 'difference + half_width_of_pairs', 'candidate_pairs'
        ) }} as verdict
    from bounded

)

select * from compared

with models as (

    select * from {{ ref('int_models_ranked') }}

),

separated as (

    select
        *,
        sum(is_tied_with_leader * is_in_use) over (partition by task_type) as tied_models
    from {{ ref('int_models_separated') }}

),

shrunk as (

    select * from {{ ref('int_models_shrunk') }}

),

posteriors as (

    select * from {{ ref('int_posteriors_compared') }}

),

same_task_strengths as (

    select * from {{ ref('int_same_task_strengths') }}

),

capped as (

    select
        task_type,
        max(is_capped) as is_capped
    from {{ ref('int_model_profiles') }}
    group by task_type

),

rankings as (

    select
        models.task_type,
        models.model_id,
        models.is_eligible,
        models.rank,
        separated.rank_best,
        separated.rank_worst,
        separated.is_tied_with_leader,
        same_task_strengths.same_task_rank,
        same_task_strengths.same_task_strength,
        same_task_strengths.shared_tasks,
        models.trials,
        models.successes,
        models.failures,
        models.success_rate,
        models.success_rate_lower,
        models.success_rate_upper,
        models.unknown_failures,
        models.success_rate_without_unknown,
        shrunk.shrunk_success_rate,
        posteriors.probability_best,
        case
            when models.is_too_little_tried = 1 then 0
            when posteriors.probability_best >= {{ var('min_alternative_probability') }} then 1
            else 0
        end as is_likely_best,
        models.is_too_little_tried,
        models.is_high_confidence,
        models.is_over_failure_threshold,
        models.is_degenerate,
        models.is_retired,
        coalesce(capped.is_capped, 0) as is_capped,
        models.total_tokens,
        models.total_cost,
        models.cost_per_success,
        models.cost_per_success_lower,
        models.cost_per_success_upper,
        models.priced_trials,
        models.trials - models.priced_trials as unpriced_trials,
        case when models.priced_trials > 0 and models.cost_per_success is null then 1 else 0 end
            as has_cost_without_success,
        models.last_used,
        models.infrastructure_failures,
        models.lost_share,
        models.has_many_lost_attempts,
        case
            when models.is_retired = 1 then 'retired'
            when separated.is_tied_with_leader = 0 then 'behind'
            when models.rank = separated.leader_rank and separated.models_in_use > 1 and separated.tied_models = 1
                then 'best'
            when
                models.rank is not null
                and models.trials >= {{ var('min_trials_per_arm') }}
                and posteriors.probability_best >= {{ double(var('min_alternative_probability')) }}
                then 'may_be_best'
            else 'untried'
        end as standing
    from models
    left join separated on models.task_type = separated.task_type and models.model_id = separated.model_id
    left join shrunk on models.task_type = shrunk.task_type and models.model_id = shrunk.model_id
    left join posteriors on models.task_type = posteriors.task_type and models.model_id = posteriors.model_id
    left join same_task_strengths
        on
            models.task_type = same_task_strengths.task_type
            and models.model_id = same_task_strengths.model_id
    left join capped on models.task_type = capped.task_type

)

select * from rankings

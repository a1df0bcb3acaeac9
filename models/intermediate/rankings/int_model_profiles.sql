with models as (

    select
        ranked.*,
        shrunk.posterior_successes,
        shrunk.posterior_failures
    from {{ ref('int_models_ranked') }} as ranked
    inner join {{ ref('int_models_shrunk') }} as shrunk
        on ranked.task_type = shrunk.task_type and ranked.model_id = shrunk.model_id
    where ranked.is_eligible = 1 and ranked.is_retired = 0

),

profiles as (

    select
        task_type,
        successes,
        trials,
        {{ ratio('successes', 'trials') }} as success_rate,
        count(*) as models,
        min(rank) as best_rank,
        max(eligible_models) as eligible_models,
        max(success_rate_upper) as success_rate_upper,
        max(posterior_successes) as posterior_successes,
        max(posterior_failures) as posterior_failures
    from models
    group by task_type, successes, trials

),

led as (

    select
        *,
        min(best_rank) over (partition by task_type) as leader_rank
    from profiles

),

-- The leader comes first; the best model is one of those with a high upper end of the interval.
placed as (

    select
        *,
        row_number() over (
            partition by task_type
            order by case when best_rank = leader_rank then 0 else 1 end, success_rate_upper desc, best_rank
        ) as posterior_place,
        count(*) over (partition by task_type) as profiles
    from led

),

limited as (

    select
        task_type,
        successes,
        trials,
        success_rate,
        models,
        best_rank,
        eligible_models,
        case when posterior_place <= {{ var('max_compared_profiles') }} then 1 else 0 end as has_posterior,
        posterior_successes,
        posterior_failures,
        case when profiles > {{ var('max_compared_profiles') }} then 1 else 0 end as is_capped
    from placed

)

select * from limited

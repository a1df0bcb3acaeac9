with challengers as (

    select * from {{ ref('int_challengers_compared') }}

),

rankings as (

    select * from {{ ref('model_rankings') }}

),

separated as (

    select * from {{ ref('int_models_separated') }}

),

demotions as (

    select * from {{ ref('demotion_candidates') }}

),

-- Leave out a leader whose comparison with the incumbent is decided, or was decided and is now in doubt.
decided as (

    select * from {{ ref('ab_comparisons') }}
    where is_declared = 0 and first_decided_at is not null

),

selected as (

    select
        challengers.*,
        rankings.rank_best,
        rankings.probability_best
    from challengers
    inner join rankings on challengers.task_type = rankings.task_type and challengers.model_id = rankings.model_id
    left join separated on challengers.task_type = separated.task_type and challengers.model_id = separated.model_id
    left join demotions on challengers.task_type = demotions.task_type and challengers.model_id = demotions.model_id
    left join decided
        on challengers.task_type = decided.task_type and challengers.model_id = decided.challenger_model_id
    where
        rankings.is_retired = 0
        and demotions.model_id is null
        and decided.experiment_id is null
        and (rankings.is_likely_best = 1 or rankings.is_too_little_tried = 1)
        and coalesce(separated.better_models_in_use, 0) = 0
        and coalesce(rankings.probability_best, 1) >= {{ var('min_alternative_probability') }}

),

candidates as (

    select
        task_type,
        model_id,
        incumbent_model_id,
        compared_model_id,
        case
            when is_too_little_tried = 1
                then 'too little tried to tell: ' || trials || ' trials, of {{ var("min_trials_per_arm") }}'
            else
                'may be the best: no model' || case when rank_best > 1 then ' in use' else '' end
                || ' is surely better than its ' || successes || ' of ' || trials || ' trials'
        end as reason,
        is_too_little_tried,
        rank,
        rank_best,
        probability_best,
        trials,
        success_rate,
        success_rate_lower,
        success_rate_upper,
        incumbent_trials,
        incumbent_success_rate,
        incumbent_success_rate_lower,
        incumbent_success_rate_upper,
        has_common_ground,
        strata,
        naive_difference,
        is_confounded,
        difference,
        difference_lower,
        difference_upper,
        e_value,
        anytime_p_value,
        benjamini_hochberg_p_value,
        holm_p_value,
        {{ trials_to_separate(
            'shared_compared_trials', 'shared_trials', 'squared_z', alpha=var('alpha') ~ ' / candidate_pairs'
        ) }} as trials_to_separate
    from selected

)

select * from candidates

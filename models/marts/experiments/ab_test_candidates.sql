with challengers as (

    select
        *,
        count(anytime_p_value) over (partition by task_type) as comparisons,
        row_number() over (
            partition by task_type
            order by case when anytime_p_value is null then 1 else 0 end, anytime_p_value, model_id
        ) as p_value_rank
    from {{ ref('int_challengers_compared') }}

),

adjusted as (

    select
        *,
        {{ benjamini_hochberg('anytime_p_value', 'p_value_rank', 'comparisons', 'task_type') }}
            as benjamini_hochberg_p_value,
        {{ holm('anytime_p_value', 'p_value_rank', 'comparisons', 'task_type') }} as holm_p_value
    from challengers

),

demotions as (

    select * from {{ ref('demotion_candidates') }}

),

-- The leader against the incumbent was decided already, or the decision is in doubt.
decided as (

    select * from {{ ref('ab_comparisons') }}
    where is_declared = 0 and first_decided_at is not null

),

candidates as (

    select
        adjusted.task_type,
        adjusted.model_id,
        adjusted.incumbent_model_id,
        adjusted.compared_model_id,
        case
            when adjusted.is_too_little_tried = 1
                then
                    'too little tried to tell: ' || adjusted.trials || ' trials, of {{ var("min_trials_per_arm") }}'
            else
                'may be the best: no model is surely better than its ' || adjusted.successes || ' of '
                || adjusted.trials || ' trials'
        end as reason,
        adjusted.is_too_little_tried,
        adjusted.rank,
        adjusted.rank_best,
        adjusted.probability_best,
        adjusted.trials,
        adjusted.success_rate,
        adjusted.success_rate_lower,
        adjusted.success_rate_upper,
        adjusted.incumbent_trials,
        adjusted.incumbent_success_rate,
        adjusted.incumbent_success_rate_lower,
        adjusted.incumbent_success_rate_upper,
        adjusted.difference,
        adjusted.e_value,
        adjusted.anytime_p_value,
        adjusted.benjamini_hochberg_p_value,
        adjusted.holm_p_value,
        {{ trials_to_separate(
            'adjusted.compared_trials', 'adjusted.trials', squared_z('adjusted.difference', 'adjusted.squared_error')
        ) }} as trials_to_separate
    from adjusted
    left join demotions on adjusted.task_type = demotions.task_type and adjusted.model_id = demotions.model_id
    left join decided on adjusted.task_type = decided.task_type and adjusted.model_id = decided.challenger_model_id
    where
        demotions.model_id is null
        and decided.experiment_id is null
        and (
            (adjusted.is_likely_best = 1 and adjusted.rank_best = 1)
            or (
                adjusted.is_too_little_tried = 1
                and coalesce(adjusted.probability_best, 1) >= {{ var('min_alternative_probability') }}
            )
        )

)

select * from candidates

with selected as (

    select * from {{ ref('int_challengers_selected') }}

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
            else 'may be the best: no model is surely better than its ' || successes || ' of ' || trials || ' trials'
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
        difference,
        e_value,
        anytime_p_value,
        benjamini_hochberg_p_value,
        holm_p_value,
        {{ trials_to_separate('compared_trials', 'trials', squared_z('difference', 'squared_error')) }}
            as trials_to_separate
    from selected

)

select * from candidates

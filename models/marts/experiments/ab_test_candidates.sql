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

candidates as (

    select
        task_type,
        model_id,
        incumbent_model_id,
        case
            when trials < {{ var('min_trials_per_arm') }}
                then 'too little tried to tell: ' || trials || ' trials, of {{ var("min_trials_per_arm") }}'
            else 'may be the best: no model is surely better than its ' || successes || ' of ' || trials || ' trials'
        end as reason,
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
        {{ trials_to_separate('incumbent_trials', 'trials', squared_z('difference', 'squared_error')) }}
            as trials_to_separate
    from adjusted
    where rank_best = 1 or trials < {{ var('min_trials_per_arm') }}

)

select * from candidates

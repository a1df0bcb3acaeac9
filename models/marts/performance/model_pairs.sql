with pairs as (

    select * from {{ ref('int_pairs_compared') }}
    where model_id < rival_model_id

),

-- The verdict and is_confounded come from the bounds beside them.
named as (

    select
        task_type,
        model_id,
        rival_model_id,
        logged_trials as trials,
        {{ ratio('logged_successes', 'logged_trials') }} as success_rate,
        rival_logged_trials as rival_trials,
        {{ ratio('rival_logged_successes', 'rival_logged_trials') }} as rival_success_rate,
        naive_difference,
        strata_name,
        strata,
        trials as shared_trials,
        rival_trials as rival_shared_trials,
        cast(candidate_pairs as bigint) as compared_pairs,
        difference,
        {{ at_least('difference - half_width_of_pairs', '-1e0') }} as difference_lower,
        {{ at_most('difference + half_width_of_pairs', '1e0') }} as difference_upper,
        e_value,
        case verdict
            when 'challenger_better' then 'rival_better'
            when 'incumbent_better' then 'model_better'
            else verdict
        end as verdict,
        {{ is_confounded('naive_difference', 'difference', 'half_width_of_pairs') }} as is_confounded,
        shared_tasks,
        both_succeeded,
        only_model_succeeded,
        only_rival_succeeded,
        neither_succeeded
    from pairs

)

select * from named

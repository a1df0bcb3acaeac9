with days as (

    select * from {{ ref('int_comparisons_judged') }}

),

closed as (

    select
        experiment_id,
        outcome_date,
        incumbent_trials,
        incumbent_wins,
        incumbent_success_rate,
        challenger_trials,
        challenger_wins,
        challenger_success_rate,
        difference,
        difference_lower,
        difference_upper,
        e_value,
        deciding_e_value,
        anytime_p_value,
        verdict,
        first_decided_at,
        newcombe_lower,
        newcombe_upper,
        naive_difference,
        is_mix_shifted,
        is_confounded,
        strata,
        shared_incumbent_trials,
        shared_challenger_trials,
        both_succeeded,
        only_incumbent_succeeded,
        only_challenger_succeeded,
        neither_succeeded,
        mcnemar_statistic,
        paired_difference,
        paired_difference_lower,
        paired_difference_upper
    from days
    where is_closed = 1

)

select * from closed

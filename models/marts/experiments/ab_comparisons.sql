with concluded as (

    select * from {{ ref('int_comparisons_concluded') }}

),

comparisons as (

    select
        comparison_id as experiment_id,
        is_declared,
        task_type,
        incumbent_model_id,
        challenger_model_id,
        started_at,
        ended_at,
        coalesce(incumbent_trials, 0) as incumbent_trials,
        coalesce(incumbent_wins, 0) as incumbent_wins,
        incumbent_success_rate,
        incumbent_avg_tokens,
        incumbent_avg_cost,
        coalesce(challenger_trials, 0) as challenger_trials,
        coalesce(challenger_wins, 0) as challenger_wins,
        challenger_success_rate,
        challenger_avg_tokens,
        challenger_avg_cost,
        difference,
        difference_lower,
        difference_upper,
        e_value,
        deciding_e_value,
        anytime_p_value,
        {{ benjamini_hochberg('adjusted_p_value', 'p_value_rank', 'comparisons', 'task_type') }}
            as benjamini_hochberg_p_value,
        {{ holm('adjusted_p_value', 'p_value_rank', 'comparisons', 'task_type') }} as holm_p_value,
        coalesce(verdict, 'too_few_trials') as verdict,
        first_decided_at,
        newcombe_lower,
        newcombe_upper,
        naive_difference,
        is_mix_shifted,
        is_confounded,
        coalesce(strata, 0) as strata,
        coalesce(shared_incumbent_trials, 0) as shared_incumbent_trials,
        coalesce(shared_challenger_trials, 0) as shared_challenger_trials,
        both_succeeded,
        only_incumbent_succeeded,
        only_challenger_succeeded,
        neither_succeeded,
        mcnemar_statistic,
        paired_difference,
        paired_difference_lower,
        paired_difference_upper,
        case when traffic_e_value >= {{ var('traffic_alarm_e_value') }} then 1 else 0 end
            as has_traffic_mismatch,
        trials_to_separate,
        case
            when verdict = 'no_common_ground' and has_shared_configuration = 1
                then 'the two never ran on the same day, nor at enough of the same tasks, under one configuration'
            when verdict = 'no_common_ground' then 'the two never ran under the same agent, effort and variant'
        end as reason
    from concluded

)

select * from comparisons

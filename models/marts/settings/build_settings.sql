with texts as (

    select 'now' as name, '{{ var("now") }}' as value
    union all
    select 'sequential_mode' as name, '{{ var("sequential_mode") }}' as value

),

numbers as (

    select 'alpha' as name, '{{ var("alpha") }}' as value
    union all
    select 'z' as name, '{{ z() }}' as value
    union all
    select 'sequential_tuning_trials' as name, '{{ var("sequential_tuning_trials")[var("sequential_mode")] }}' as value
    union all
    select 'min_trials_per_arm' as name, '{{ var("min_trials_per_arm") }}' as value
    union all
    select 'min_strata' as name, '{{ var("min_strata") }}' as value
    union all
    select 'min_strata_per_log_pair' as name, '{{ var("min_strata_per_log_pair") }}' as value
    union all
    select 'min_shared_tasks' as name, '{{ var("min_shared_tasks") }}' as value
    union all
    select 'min_shared_task_share' as name, '{{ var("min_shared_task_share") }}' as value
    union all
    select 'max_trials_to_separate' as name, '{{ var("max_trials_to_separate") }}' as value
    union all
    select 'traffic_alarm_e_value' as name, '{{ var("traffic_alarm_e_value") }}' as value
    union all
    select 'min_samples' as name, '{{ var("min_samples") }}' as value
    union all
    select 'high_confidence_trials' as name, '{{ var("high_confidence_trials") }}' as value
    union all
    select 'failure_rate_threshold' as name, '{{ var("failure_rate_threshold") }}' as value
    union all
    select 'grid_points' as name, '{{ var("grid_points") }}' as value
    union all
    select 'max_compared_profiles' as name, '{{ var("max_compared_profiles") }}' as value
    union all
    select 'max_paired_configurations' as name, '{{ var("max_paired_configurations") }}' as value
    union all
    select 'max_ranked_models' as name, '{{ var("max_ranked_models") }}' as value
    union all
    select 'degenerate_min_trials' as name, '{{ var("degenerate_min_trials") }}' as value
    union all
    select 'degenerate_min_models' as name, '{{ var("degenerate_min_models") }}' as value
    union all
    select 'lost_share_caveat' as name, '{{ var("lost_share_caveat") }}' as value
    union all
    select 'lost_attempts_caveat' as name, '{{ var("lost_attempts_caveat") }}' as value
    union all
    select 'incumbent_days' as name, '{{ var("incumbent_days") }}' as value
    union all
    select 'incumbent_share' as name, '{{ var("incumbent_share") }}' as value
    union all
    select 'min_alternative_probability' as name, '{{ var("min_alternative_probability") }}' as value
    union all
    select 'retired_after_days' as name, '{{ var("retired_after_days") }}' as value
    union all
    select 'demotion_margin' as name, '{{ var("demotion_margin") }}' as value
    union all
    select 'cusum_drop' as name, '{{ var("cusum_drop") }}' as value
    union all
    select 'cusum_min_trials' as name, '{{ var("cusum_min_trials") }}' as value
    union all
    select 'cusum_baseline_first_day' as name, '{{ var("cusum_baseline_first_day") }}' as value
    union all
    select 'cusum_baseline_last_day' as name, '{{ var("cusum_baseline_last_day") }}' as value
    union all
    select 'cusum_lowest_baseline' as name, '{{ var("cusum_lowest_baseline") }}' as value
    union all
    select 'cusum_highest_baseline' as name, '{{ var("cusum_highest_baseline") }}' as value
    union all
    select 'cusum_lowest_target' as name, '{{ var("cusum_lowest_target") }}' as value
    union all
    select 'cusum_horizon_days' as name, '{{ var("cusum_horizon_days") }}' as value
    union all
    select 'min_exported_outcomes' as name, '{{ var("min_exported_outcomes") }}' as value
    union all
    select 'few_projects' as name, '{{ var("few_projects") }}' as value
    union all
    select 'max_prior_strength' as name, '{{ var("max_prior_strength") }}' as value

),

settings as (

    select
        name,
        value,
        {{ double('null') }} as numeric_value
    from texts
    union all
    select
        name,
        value,
        {{ double('value') }} as numeric_value
    from numbers

)

select * from settings

with days as (

    select
        stratified.*,
        listed.rivals,
        {{ ratio('stratified.incumbent_wins', 'stratified.incumbent_trials') }} as incumbent_success_rate,
        {{ ratio('stratified.challenger_wins', 'stratified.challenger_trials') }} as challenger_success_rate,
        {{ squared_z('stratified.difference', 'stratified.squared_error') }} as squared_z,
        {{ sequential_half_width(
            'stratified.squared_error', 'stratified.shared_trials', alpha=var('alpha') ~ ' / listed.rivals'
        ) }} as half_width
    from {{ ref('int_comparisons_stratified') }} as stratified
    inner join {{ ref('int_comparisons_listed') }} as listed on stratified.experiment_id = listed.experiment_id

),

bounded as (

    select
        *,
        {{ at_least('difference - half_width', '-1e0') }} as difference_lower,
        {{ at_most('difference + half_width', '1e0') }} as difference_upper,
        {{ e_value('squared_z', 'shared_trials') }} as e_value,
        {{ newcombe_lower(
            'incumbent_success_rate', wilson_upper('incumbent_wins', 'incumbent_trials'),
            'challenger_success_rate', wilson_lower('challenger_wins', 'challenger_trials')
        ) }} as newcombe_lower,
        {{ newcombe_upper(
            'incumbent_success_rate', wilson_lower('incumbent_wins', 'incumbent_trials'),
            'challenger_success_rate', wilson_upper('challenger_wins', 'challenger_trials')
        ) }} as newcombe_upper,
        case
            when (naive_difference - difference) * (naive_difference - difference) > squared_error then 1
            else 0
        end as is_mix_shifted
    from days

),

judged as (

    select
        *,
        {{ anytime_p_value('e_value') }} as anytime_p_value,
        {{ anytime_p_value('e_value / rivals') }} as adjusted_p_value,
        {{ ratio('rivals', var('alpha')) }} as deciding_e_value,
        {{ verdict('shared_incumbent_trials', 'shared_challenger_trials', 'difference_lower', 'difference_upper') }}
            as verdict_of_the_day
    from bounded

)

select * from judged

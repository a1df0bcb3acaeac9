with stratified as (

    select * from {{ ref('int_comparisons_stratified') }}

),

comparisons as (

    select * from {{ ref('int_comparisons_listed') }}

),

paired as (

    select * from {{ ref('int_comparisons_paired') }}

),

measured as (

    select
        stratified.*,
        comparisons.candidate_pairs,
        {{ ratio('stratified.incumbent_wins', 'stratified.incumbent_trials') }} as incumbent_success_rate,
        {{ ratio('stratified.challenger_wins', 'stratified.challenger_trials') }} as challenger_success_rate,
        {{ squared_z('stratified.difference', 'stratified.squared_error') }} as squared_z,
        {{ sequential_half_width(
            'stratified.squared_error', 'stratified.shared_trials', alpha=var('alpha') ~ ' / comparisons.candidate_pairs'
        ) }} as half_width
    from stratified
    inner join comparisons on stratified.experiment_id = comparisons.experiment_id

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
        end as is_mix_shifted,
        {{ is_confounded('naive_difference', 'difference', 'half_width') }} as is_confounded
    from measured

),

days as (

    select
        *,
        {{ anytime_p_value('e_value') }} as anytime_p_value,
        {{ anytime_p_value('e_value / candidate_pairs') }} as adjusted_p_value,
        {{ ratio('candidate_pairs', var('alpha')) }} as deciding_e_value,
        {{ verdict(
            'shared_incumbent_trials', 'shared_challenger_trials', 'strata', 'incumbent_trials', 'challenger_trials',
            'difference_lower', 'difference_upper', 'candidate_pairs'
        ) }} as verdict_of_the_day,
        case when outcome_date < {{ today() }} then 1 else 0 end as is_closed
    from bounded

),

-- Ville's inequality: deciding on the first closed day whose interval excludes 0 keeps the error rate.
dated as (

    select
        *,
        min(case
            when is_closed = 1 and verdict_of_the_day in ('challenger_better', 'incumbent_better') then outcome_date
        end) over (
            partition by experiment_id
            order by outcome_date
            rows unbounded preceding
        ) as first_decided_at
    from days

),

remembered as (

    select
        *,
        case
            when first_decided_at is not null
                then max(case when outcome_date = first_decided_at then verdict_of_the_day end) over (
                    partition by experiment_id
                )
        end as first_verdict
    from dated

),

-- If today's figures no longer support an earlier verdict, the verdict becomes its `was_` form.
decided as (

    select
        *,
        case
            when first_verdict = verdict_of_the_day then first_verdict
            when first_verdict = 'challenger_better' then 'was_challenger_better'
            when first_verdict = 'incumbent_better' then 'was_incumbent_better'
            when verdict_of_the_day in ('too_few_trials', 'no_common_ground') then verdict_of_the_day
            else 'no_verdict_yet'
        end as verdict
    from remembered

),

judged as (

    select
        decided.*,
        row_number() over (partition by decided.experiment_id order by decided.outcome_date desc) as days_from_last,
        paired.both_succeeded,
        paired.only_incumbent_succeeded,
        paired.only_challenger_succeeded,
        paired.neither_succeeded,
        paired.mcnemar_statistic,
        paired.paired_difference,
        {{ at_least('paired.paired_difference - paired.paired_half_width', '-1e0') }} as paired_difference_lower,
        {{ at_most('paired.paired_difference + paired.paired_half_width', '1e0') }} as paired_difference_upper
    from decided
    inner join paired on decided.experiment_id = paired.experiment_id and decided.outcome_date = paired.outcome_date

)

select * from judged

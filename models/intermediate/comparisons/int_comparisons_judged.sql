with days as (

    select
        *,
        case when outcome_date < {{ today() }} then 1 else 0 end as is_closed
    from {{ ref('int_comparisons_bounded') }}

),

paired as (

    select * from {{ ref('int_comparisons_paired') }}

),

-- Ville's inequality allows to act on the first closed day on which the interval leaves 0.
decided as (

    select
        *,
        min(case when is_closed = 1 and verdict_of_the_day like '%_better' then outcome_date end) over (
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
    from decided

),

-- A verdict never contradicts the figures beside it: if they support it no more, it says that it was.
judged as (

    select
        remembered.*,
        case
            when remembered.first_verdict = remembered.verdict_of_the_day then remembered.first_verdict
            when remembered.first_verdict is not null then 'was_' || remembered.first_verdict
            when remembered.verdict_of_the_day = 'too_few_trials' then 'too_few_trials'
            else 'no_verdict_yet'
        end as verdict,
        row_number() over (
            partition by remembered.experiment_id
            order by remembered.outcome_date desc
        ) as days_from_last,
        paired.both_succeeded,
        paired.only_incumbent_succeeded,
        paired.only_challenger_succeeded,
        paired.neither_succeeded,
        paired.mcnemar_statistic,
        paired.paired_difference,
        {{ at_least('paired.paired_difference - paired.paired_half_width', '-1e0') }} as paired_difference_lower,
        {{ at_most('paired.paired_difference + paired.paired_half_width', '1e0') }} as paired_difference_upper
    from remembered
    inner join paired
        on remembered.experiment_id = paired.experiment_id and remembered.outcome_date = paired.outcome_date

)

select * from judged

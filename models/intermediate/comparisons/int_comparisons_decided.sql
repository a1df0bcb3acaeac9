with days as (

    select
        *,
        case when outcome_date < {{ today() }} then 1 else 0 end as is_closed
    from {{ ref('int_comparisons_bounded') }}

),

-- Ville's inequality: deciding on the first closed day whose interval excludes 0 keeps the error rate.
dated as (

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
    from dated

),

-- If today's figures no longer support an earlier verdict, its name begins with `was_`.
decided as (

    select
        *,
        case
            when first_verdict = verdict_of_the_day then first_verdict
            when first_verdict is not null then 'was_' || first_verdict
            when verdict_of_the_day = 'too_few_trials' then 'too_few_trials'
            else 'no_verdict_yet'
        end as verdict
    from remembered

)

select * from decided

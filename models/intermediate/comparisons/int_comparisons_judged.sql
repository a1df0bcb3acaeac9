with days as (

    select * from {{ ref('int_comparisons_decided') }}

),

paired as (

    select * from {{ ref('int_comparisons_paired') }}

),

judged as (

    select
        days.*,
        row_number() over (partition by days.experiment_id order by days.outcome_date desc) as days_from_last,
        paired.both_succeeded,
        paired.only_incumbent_succeeded,
        paired.only_challenger_succeeded,
        paired.neither_succeeded,
        paired.mcnemar_statistic,
        paired.paired_difference,
        {{ at_least('paired.paired_difference - paired.paired_half_width', '-1e0') }} as paired_difference_lower,
        {{ at_most('paired.paired_difference + paired.paired_half_width', '1e0') }} as paired_difference_upper
    from days
    inner join paired on days.experiment_id = paired.experiment_id and days.outcome_date = paired.outcome_date

)

select * from judged

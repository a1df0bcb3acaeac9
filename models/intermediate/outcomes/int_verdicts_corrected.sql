with corrections as (

    select * from {{ ref('stg_outcome_corrections') }}

),

latest as (

    select
        outcome_id,
        max(correction_id) as correction_id
    from corrections
    group by outcome_id

),

verdicts as (

    select
        corrections.outcome_id,
        corrections.verdict
    from latest
    inner join corrections on latest.correction_id = corrections.correction_id

)

select * from verdicts

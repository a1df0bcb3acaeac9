with attributed as (

    select * from {{ ref('int_outcomes_attributed') }}

),

attributions as (

    select * from {{ ref('int_error_types') }}

),

counted as (

    select
        task_type,
        model_id,
        error_type,
        sum(outcomes) as failures,
        sum(timeouts) as timeouts
    from attributed
    where is_success = 0
    group by task_type, model_id, error_type
    having sum(outcomes) > 0

),

classified as (

    select
        counted.task_type,
        counted.model_id,
        counted.error_type,
        coalesce(attributions.attribution, case when counted.error_type = '' then 'unnamed' else 'unknown' end)
            as attribution,
        counted.failures,
        counted.timeouts
    from counted
    left join attributions on counted.error_type = attributions.error_type

)

select * from classified

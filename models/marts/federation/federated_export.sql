with parts as (

    select * from {{ ref('int_exports_due') }}

),

judged as (

    select
        *,
        case
            when has_noisy_exports = 1 then 'this project exports with noise: no exact figure leaves'
            when {{ is_publishable_name('task_type') }} = 0 or {{ is_publishable_name('model_id') }} = 0
                then 'a name is a path, too long or no plain text: give it another with --rename-map'
            when max(is_due) over (partition by task_type, model_id) = 1 then ''
            when max(changed_outcomes) over (partition by task_type, model_id) = 0
                then 'nothing new since the last export'
            else 'fewer than {{ var("min_exported_outcomes") }} outcomes since the last export'
        end as reason
    from parts

),

-- The outcomes of the cell that are exported or, if nothing is exported, all that are held back.
counted as (

    select
        *,
        case when reason <> '' then 1 else is_due end as is_counted
    from judged

),

summed as (

    select
        task_type,
        model_id,
        window_last_day,
        case when reason = '' then 0 else 1 end as is_held_back,
        nullif(reason, '') as reason,
        sum(is_counted * outcomes) as outcomes,
        sum(is_counted * successes) as successes,
        sum(is_counted * (outcomes - successes)) as failures,
        sum(is_counted * timeouts) as timeouts,
        sum(is_counted * infrastructure_failures) as infrastructure_failures,
        sum(is_counted * (outcomes - infrastructure_failures)) as trials,
        {{ to_count('sum(is_counted * tokens)', 'sum(is_counted * tokens_carry)') }} as tokens,
        case
            when max(is_counted * is_priced) = 1
                then {{ to_usd('sum(is_counted * cost_nano_usd)', 'sum(is_counted * cost_carry)') }}
        end as cost_usd,
        sum((1 - is_counted) * outcomes) as waiting_outcomes,
        min(first_day) as first_day,
        max(last_day) as last_day
    from counted
    group by task_type, model_id, window_last_day, reason

)

select * from summed

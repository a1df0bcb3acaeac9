with parts as (

    select * from {{ ref('int_exports_due') }}

),

noisy_exports as (

    select count(epsilon) as exports from {{ ref('stg_federated_exports') }}

),

judged as (

    select
        parts.*,
        case
            when noisy_exports.exports > 0 then 'this project exports with noise: no exact figure leaves'
            when {{ is_publishable_name('parts.task_type') }} = 0 or {{ is_publishable_name('parts.model_id') }} = 0
                then 'a name is a path, too long or no plain text: give it another with --rename-map'
            when max(parts.is_due) over (partition by parts.task_type, parts.model_id) = 1 then ''
            when max(parts.changed_outcomes) over (partition by parts.task_type, parts.model_id) = 0
                then 'nothing new since the last export'
            else 'fewer than {{ var("min_exported_outcomes") }} outcomes since the last export'
        end as reason
    from parts
    cross join noisy_exports

),

-- The outcomes of the cell that are exported or, if nothing is exported, all that are held back.
told as (

    select *, case when reason <> '' then 1 else is_due end as is_told from judged

),

summed as (

    select
        task_type, model_id,
        window_last_day,
        case when reason = '' then 0 else 1 end as is_held_back,
        nullif(reason, '') as reason,
        sum(is_told * outcomes) as outcomes,
        sum(is_told * successes) as successes,
        sum(is_told * (outcomes - successes)) as failures,
        sum(is_told * timeouts) as timeouts,
        sum(is_told * infrastructure_failures) as infrastructure_failures,
        sum(is_told * (outcomes - infrastructure_failures)) as trials,
        {{ to_count('sum(is_told * tokens)', 'sum(is_told * tokens_carry)') }} as tokens,
        case
            when max(is_told * is_priced) = 1
                then {{ to_usd('sum(is_told * cost_nano_usd)', 'sum(is_told * cost_carry)') }}
        end as cost_usd,
        sum((1 - is_told) * outcomes) as waiting_outcomes,
        min(first_day) as first_day, max(last_day) as last_day
    from told
    group by task_type, model_id, window_last_day, reason

)

select * from summed

with imports as (

    select * from {{ ref('stg_federated_imports') }}

),

cells as (

    select * from {{ ref('stg_federated_import_rows') }}

),

named as (

    select
        imports.project,
        coalesce(task_type_aliases.task_type, cells.task_type) as local_task_type,
        coalesce(model_aliases.model_id, cells.model_id) as local_model_id,
        cells.*
    from cells
    inner join imports on cells.import_id = imports.import_id
    left join {{ ref('task_type_aliases') }} as task_type_aliases on cells.task_type = task_type_aliases.alias
    left join {{ ref('model_aliases') }} as model_aliases on cells.model_id = model_aliases.alias

),

counted as (

    select
        project,
        local_task_type as task_type,
        local_model_id as model_id,
        sum(outcomes) as outcomes,
        sum(trials) as trials,
        sum(successes) as successes,
        sum(metered_trials) as metered_trials,
        sum(case when metered_trials > 0 then tokens end) as metered_tokens,
        sum(priced_trials) as priced_trials,
        sum(priced_successes) as priced_successes,
        sum(case when priced_trials > 0 then cost_usd end) as priced_cost_usd,
        sum(cost_usd_squared) as cost_usd_squared,
        sum(success_cost_usd) as success_cost_usd,
        sum(noise_variance) as noise_variance
    from named
    group by project, local_task_type, local_model_id

)

select * from counted

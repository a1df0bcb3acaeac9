-- title: a result of SWE-bench
-- files: *.json, *.jsonl
-- group: all
-- recognise: resolved_ids submitted_instances | patch_successfully_applied resolved | instance_[^"]*__[^"]* | model_stats exit_status | model_name_or_path model_patch
-- versions: swebench 4 and 5, SWE-bench Pro of 2025, mini-swe-agent 1 and 2
-- :timestamp (required) the time of the run, which no file has
-- :model_id the model, instead of the one in the name of a report; for the files of one model
-- :task_type the kind of task; default: swe-bench or swe-bench-pro
--
-- Verdicts are in a run report (MODEL.RUN.json), in the report.json of each instance, or in eval_results.json of
-- SWE-bench Pro. Costs are in the trajectories of mini-swe-agent, joined by model and instance.
-- An empty patch is a failure. An evaluation that broke is no verdict, unless the report says the infrastructure broke.
with

files as materialized (
    select
        source,
        doc,
        name_of(source) as name,
        folder_of(source) as folder,
        json_type(doc) as type
    from raw
),

-- MODEL.RUN.json; a / in the name of the model is __ in the name of the file.
reports as materialized (
    select
        doc,
        substr(name, 1, length(name) - 5) as stem,
        json_extract(doc, '$.infra_failure_ids') as infra_failure_ids
    from files
    where json_type(doc, '$.resolved_ids') = 'array'
),

named_reports as materialized (
    select
        reports.*,
        case
            when instr(stem, '.') = 0 then stem
            else substr(stem, 1, length(rtrim(stem, replace(stem, '.', ''))) - 1)
        end as model,
        case
            when instr(stem, '.') = 0 then ''
            else substr(stem, length(rtrim(stem, replace(stem, '.', ''))) + 1)
        end as run
    from reports
),

lists(path, success, reason, error_type) as (
    values
    ('$.resolved_ids', 1, null, null),
    ('$.unresolved_ids', 0, null, null),
    ('$.empty_patch_ids', 0, null, 'empty_patch'),
    ('$.error_ids', null, 'evaluation_error', null)
),

infra_failures as materialized (
    select named_reports.stem, item.value as instance_id
    from named_reports
    inner join json_each(named_reports.infra_failure_ids) as item
),

from_reports as materialized (
    select
        'swe-bench' as task_type,
        named_reports.model,
        named_reports.run,
        item.value as instance_id,
        case when infra_failures.instance_id is not null then 0 else lists.success end as success,
        case
            when lists.success = 1 then null
            when infra_failures.instance_id is not null then 'infra_failure'
            else lists.error_type
        end as error_type,
        lists.reason,
        2 as rank
    from named_reports
    cross join lists
    inner join json_each(named_reports.doc, lists.path) as item
    left join infra_failures
        on named_reports.stem = infra_failures.stem and item.value = infra_failures.instance_id and lists.success is not 1
),

-- logs/run_evaluation/RUN/MODEL/INSTANCE/report.json
from_instances as materialized (
    select
        'swe-bench' as task_type,
        name_of(folder_of(files.folder)) as model,
        name_of(folder_of(folder_of(files.folder))) as run,
        item.key as instance_id,
        json_extract(item.value, '$.resolved') as success,
        case
            when json_extract(item.value, '$.resolved') then null
            when json_extract(item.value, '$.infra_failure') then 'infra_failure'
            when json_extract(item.value, '$.patch_exists') = 0 then 'empty_patch'
            when json_extract(item.value, '$.patch_successfully_applied') = 0 then 'patch_not_applied'
        end as error_type,
        'evaluation_error' as reason,
        1 as rank
    from files
    inner join json_each(files.doc) as item
    where files.name = 'report.json' and files.type = 'object' and item.type = 'object'
),

-- {"instance_...": true, ...}; the folder or the beginning of the name says the model.
from_pro as materialized (
    select
        'swe-bench-pro' as task_type,
        case
            when files.name = 'eval_results.json' then name_of(files.folder)
            else replace(replace(files.name, '_eval_results.json', ''), '.json', '')
        end as model,
        '' as run,
        item.key as instance_id,
        item.value as success,
        null as error_type,
        'evaluation_error' as reason,
        1 as rank
    from files
    inner join json_each(files.doc) as item
    where files.type = 'object' and item.type in ('true', 'false') and item.key glob '*__*'
),

verdicts as materialized (
    select
        *,
        row_number() over (partition by task_type, model, run, instance_id order by rank) as place
    from (
        select * from from_instances
        union all
        select * from from_reports
        union all
        select * from from_pro
    )
),

predictions as materialized (
    select
        coalesce(json_extract(item.value, '$.instance_id'), item.key) as instance_id,
        json_extract(item.value, '$.model_name_or_path') as model
    from files
    inner join json_each(case when json_type(files.doc, '$.model_name_or_path') = 'text' then json_array(json(files.doc)) else files.doc end) as item
    where item.type = 'object' and json_type(item.value, '$.model_name_or_path') = 'text'
),

models as materialized (
    select replace(model, '/', '__') as model, min(model) as full_name
    from predictions
    group by 1
),

trajectories as materialized (
    select
        coalesce(
            json_extract(doc, '$.instance_id'),
            replace(replace(name, '.traj.json', ''), '.json', '')
        ) as instance_id,
        replace(
            coalesce(json_extract(doc, '$.info.config.model.model_name'), json_extract(doc, '$.info.config.model')),
            '/', '__'
        ) as model,
        coalesce(json_extract(doc, '$.info.config.model.model_name'), json_extract(doc, '$.info.config.model'))
            as full_name,
        nullif(json_extract(doc, '$.info.model_stats.instance_cost'), 0) as cost_usd,
        json_extract(doc, '$.info.model_stats.api_calls') as api_calls,
        json_extract(doc, '$.info.exit_status') as exit_status,
        json_extract(doc, '$.info.mini_version') as mini_version,
        coalesce(
            json_extract(doc, '$.info.config.model.model_kwargs.reasoning_effort'),
            json_extract(doc, '$.info.config.model.model_kwargs.reasoning.effort')
        ) as effort
    from files
    where json_type(doc, '$.info.model_stats') = 'object'
),

sole as materialized (
    select count(distinct task_type || '/' || run || '/' || model) = 1 as is_sole from verdicts
)

select
    coalesce(:task_type, verdicts.task_type) as task_type,
    coalesce(
        models.full_name,
        trajectories.full_name,
        case when sole.is_sole then :model_id end,
        nullif(replace(verdicts.model, '__', '/'), '')
    ) as model_id,
    verdicts.success,
    coalesce(trajectories.exit_status = 'TimeExceeded', 0) as timeout,
    verdicts.task_type || '/' || verdicts.run || '/' || verdicts.model || '/' || verdicts.instance_id as event_id,
    verdicts.instance_id as task_id,
    :timestamp as timestamp,
    trajectories.cost_usd,
    case
        when not verdicts.success
            then coalesce(verdicts.error_type, nullif(trajectories.exit_status, 'Submitted'))
    end as error_type,
    case when trajectories.instance_id is not null then 'mini-swe-agent' || coalesce(' ' || trajectories.mini_version, '') end
        as agent,
    trajectories.effort,
    trajectories.api_calls,
    case when verdicts.success is null then verdicts.reason end as no_verdict_reason
from verdicts
cross join sole
left join models on verdicts.model = models.model
left join trajectories
    on
        verdicts.instance_id = trajectories.instance_id
        and (verdicts.model = trajectories.model or sole.is_sole)
where verdicts.place = 1

-- title: an output of OpenHands
-- files: *output.jsonl, output.swebench_eval.jsonl, output.report.json, report.json
-- group: folder
-- recognise: issue_type git_patch history | instance_id test_result llm_config | instance_id test_result agent_class
-- versions: OpenHands 0.20 to 0.35
-- :model_id the model, if the file names none (the issue resolver)
-- :timestamp the time, if the file has none (the issue resolver)
-- :task_type the kind of task; default: the dataset, or issue resolver
--
-- The resolver's verdict is in its output. A benchmark's is in a report beside the output, joined by instance.
-- accumulated_cost is 0 if the price of the model is not known. Times have no offset: they need --zone.
with

reported as materialized (
    select
        folder_of(raw.source) as folder,
        ids.value as instance_id,
        lists.success
    from raw
    cross join (select '$.resolved_ids' as path, 1 as success union all select '$.unresolved_ids', 0) as lists
    inner join json_each(raw.doc, lists.path) as ids
),

lines as materialized (
    select
        folder_of(source) as folder,
        doc,
        coalesce(
            json_extract(doc, '$.instance_id'),
            json_extract(doc, '$.issue.owner') || '/' || json_extract(doc, '$.issue.repo')
            || '#' || json_extract(doc, '$.issue.number')
        ) as instance_id,
        coalesce(
            json_extract(doc, '$.success'),
            json_extract(doc, '$.test_result.report.resolved'),
            json_extract(doc, '$.report.resolved')
        ) as success
    from raw
    where json_type(doc, '$.history') is not null or json_type(doc, '$.test_result') is not null
),

-- The line of an instance is in the output, and again in the evaluation: the one with a verdict counts.
judged as materialized (
    select
        lines.*,
        coalesce(lines.success, reported.success) as verdict,
        row_number() over (
            partition by lines.folder, lines.instance_id, coalesce(json_extract(lines.doc, '$.metadata.start_time'), '')
            order by lines.success is null
        ) as place
    from lines
    left join reported on lines.folder = reported.folder and lines.instance_id = reported.instance_id
),

facts as materialized (
    select
        *,
        coalesce(json_extract(doc, '$.metadata.llm_config.model'), :model_id) as model,
        coalesce(json_extract(doc, '$.metadata.start_time'), :timestamp) as started_at,
        json_extract(doc, '$.metrics.accumulated_token_usage') as usage,
        json_extract(doc, '$.error') as error,
        json_extract(doc, '$.history[0].timestamp') as first_at,
        json_extract(doc, '$.history[#-1].timestamp') as last_at
    from judged
    where place = 1
)

select
    coalesce(:task_type, json_extract(doc, '$.metadata.dataset'), 'issue resolver') as task_type,
    model as model_id,
    verdict as success,
    instance_id || '/' || coalesce(model, '') || '/' || coalesce(started_at, '') as event_id,
    instance_id as task_id,
    started_at as timestamp,
    cast(round((julianday(last_at) - julianday(first_at)) * 86400000) as integer) as duration_ms,
    nullif(json_extract(usage, '$.prompt_tokens'), 0) as input_tokens,
    case when json_extract(usage, '$.prompt_tokens') > 0 then json_extract(usage, '$.completion_tokens') end
        as output_tokens,
    min(json_extract(usage, '$.cache_read_tokens'), nullif(json_extract(usage, '$.prompt_tokens'), 0))
        as cached_input_tokens,
    nullif(json_extract(doc, '$.metrics.accumulated_cost'), 0) as cost_usd,
    case when not verdict and error is not null then 'agent_error' end as error_type,
    'OpenHands ' || coalesce(json_extract(doc, '$.metadata.agent_class'), 'resolver')
    || coalesce(' ' || json_extract(doc, '$.history[0].args.openhands_version'), '') as agent,
    json_extract(doc, '$.metadata.llm_config.reasoning_effort') as effort,
    case
        when verdict is not null then null
        when error is not null then 'agent_error'
        else 'no report beside the output has its verdict'
    end as no_verdict_reason
from facts

-- title: an Inspect log
-- files: *.eval, *.json
-- members: header.json, summaries.json
-- group: file
-- recognise: member:header.json member:summaries.json | eval plan task_registry_name | eval plan task_attribs
-- versions: inspect_ai 0.3.41 to 0.3.206
-- :task_type the kind of task; default: the task's name
-- :model_id the model, if the log names none
-- :scorer the scorer whose score decides; default: the first one
-- :threshold a score from this number on is a success; default: 1
-- :lower_is_better a score up to the threshold is a success
--
-- Of a .eval only the header and the summaries are read. reductions.json is averaged over the epochs.
-- `input_tokens` includes cached tokens in some versions and not in others; total minus output is right in all.
with

headers as materialized (
    select
        source,
        member,
        json_extract(doc, '$.eval.task') as task,
        json_extract(doc, '$.eval.model') as model,
        coalesce(json_extract(doc, '$.eval.task_id'), json_extract(doc, '$.eval.run_id')) as run,
        coalesce(json_extract(doc, '$.stats.started_at'), json_extract(doc, '$.eval.created')) as started_at,
        json_extract(doc, '$.eval.solver') as solver,
        coalesce(
            json_extract(doc, '$.eval.model_generate_config.reasoning_effort'),
            json_extract(doc, '$.plan.config.reasoning_effort')
        ) as effort,
        coalesce(json_extract(doc, '$.invalidated'), 0) as is_invalidated
    from raw
    where coalesce(member, 'header.json') = 'header.json' and json_type(doc, '$.eval') = 'object'
),

samples as materialized (
    select
        headers.*,
        item.value as sample,
        (
            select usage.value from json_each(item.value, '$.model_usage') as usage
            where usage.key = headers.model
        ) as usage,
        (
            select score.value from json_each(item.value, '$.scores') as score
            where :scorer is null or score.key = :scorer
            limit 1
        ) as score
    from headers
    inner join raw
        on
            headers.source = raw.source
            and coalesce(raw.member, 'summaries.json') = 'summaries.json'
    inner join json_each(raw.doc, case when raw.member is null then '$.samples' else '$' end) as item
),

facts as materialized (
    select
        *,
        json_type(score, '$.value') as value_type,
        json_extract(score, '$.value') as value,
        json_extract(usage, '$.output_tokens') as output_tokens,
        coalesce(
            json_extract(usage, '$.total_tokens') - json_extract(usage, '$.output_tokens'),
            json_extract(usage, '$.input_tokens')
        ) as input_tokens,
        coalesce(json_extract(sample, '$.limit.type'), json_extract(sample, '$.limit')) as limit_type,
        json_type(sample, '$.error') is not null and json_type(sample, '$.error') <> 'null' as has_error,
        is_invalidated or coalesce(json_type(sample, '$.invalidation'), 'null') <> 'null' as is_void
    from samples
),

verdicts as materialized (
    select
        *,
        case
            when is_void then null
            when value_type in ('true', 'false') then value
            when value_type in ('integer', 'real') and :lower_is_better then value <= coalesce(:threshold, 0)
            when value_type in ('integer', 'real') then value >= coalesce(:threshold, 1)
            when value = 'C' then 1
            when value in ('I', 'N', 'P') then 0
        end as success,
        case
            when value_type in ('true', 'false') then value
            when value_type in ('integer', 'real') and value between 0 and 1 then value
            when value = 'C' then 1
            when value = 'P' then 0.5
            when value in ('I', 'N') then 0
        end as graded
    from facts
)

select
    coalesce(:task_type, task) as task_type,
    coalesce(model, :model_id) as model_id,
    success,
    coalesce(limit_type in ('time', 'working'), 0) as timeout,
    coalesce(
        json_extract(sample, '$.uuid'),
        run || '/' || json_extract(sample, '$.id') || '/' || coalesce(json_extract(sample, '$.epoch'), 1)
    ) as event_id,
    task || '/' || json_extract(sample, '$.id') as task_id,
    json_extract(sample, '$.epoch') as attempt,
    coalesce(json_extract(sample, '$.started_at'), started_at) as timestamp,
    cast(round(json_extract(sample, '$.total_time') * 1000) as integer) as duration_ms,
    input_tokens,
    output_tokens,
    min(json_extract(usage, '$.input_tokens_cache_read'), input_tokens) as cached_input_tokens,
    json_extract(usage, '$.total_cost') as cost_usd,
    case
        when success then null
        when has_error then 'sample_error'
        when limit_type is not null then 'limit_' || limit_type
    end as error_type,
    solver as agent,
    effort,
    graded as score,
    case
        when success is not null then null
        when is_void then 'invalidated'
        when has_error then 'sample_error'
        when value_type is null and limit_type is not null then 'limit_' || limit_type
        when value_type is null then 'not scored'
        when value_type = 'null' then 'score is null or NaN'
        else 'score is no verdict (' || value_type || ')'
    end as no_verdict_reason
from verdicts

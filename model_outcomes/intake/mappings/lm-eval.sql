-- title: a file of samples of lm-evaluation-harness
-- files: samples_*.jsonl, results_*.json, results.json
-- group: folder
-- recognise: doc_id filtered_resps resps | n-samples configs higher_is_better
-- versions: lm_eval 0.4.3 to 0.4.9
-- :score the metric that decides; default: the first one
-- :scorer the filter that decides, such as strict-match; default: the first one
-- :threshold a metric from this number on is a success; default: 1
-- :lower_is_better a metric up to the threshold is a success; default: as the results say
-- :task_type the kind of task; default: the task's name
-- :model_id the model; default: the one in results_*.json
-- :timestamp the time; default: the date in results_*.json
--
-- The samples name neither the model nor the time: results_*.json of the same folder does, whose name ends alike.
-- Two filters give two rows for a document: one of them counts. `start_time` is no time of day, `date` is.
with

results as materialized (
    select
        substr(name_of(source), 9) as run,  -- TIME.json, or json
        coalesce(
            json_extract(doc, '$.model_name'), json_extract(doc, '$.config.model_name'),
            json_extract(doc, '$.config.model_args')
        ) as model,
        strftime('%Y-%m-%dT%H:%M:%fZ', json_extract(doc, '$.date'), 'unixepoch') as timestamp,
        json_extract(doc, '$.higher_is_better') as directions,
        json_extract(doc, '$."n-shot"') as shots
    from raw
    where json_type(doc, '$.results') = 'object' and json_type(doc, '$.configs') = 'object'
),

samples as materialized (
    select
        raw.source,
        raw.number,
        raw.doc,
        json_extract(raw.doc, '$.filter') as filter,
        coalesce(:score, json_extract(raw.doc, '$.metrics[0]')) as metric,
        -- The name is samples_TASK_TIME.jsonl, and a time is 26 characters long, or 19 without a fraction.
        case
            when name_of(raw.source) glob '*_????-??-??T??-??-??.??????.jsonl' then -32
            when name_of(raw.source) glob '*_????-??-??T??-??-??.jsonl' then -25
        end as time_place
    from raw
    where json_type(raw.doc, '$.doc_id') is not null and json_type(raw.doc, '$.resps') is not null
),

named as materialized (
    select
        samples.*,
        case
            when time_place is null then substr(name_of(source), 9, length(name_of(source)) - 14)
            else substr(name_of(source), 9, length(name_of(source)) - 9 + time_place)
        end as task,
        substr(substr(name_of(source), time_place), 1, length(substr(name_of(source), time_place)) - 6) as run
    from samples
),

filters as materialized (
    select
        source,
        filter,
        row_number() over (partition by source order by min(number)) as place
    from named
    group by source, filter
),

facts as materialized (
    select
        named.*,
        results.model,
        results.timestamp,
        (
            select shot.value from json_each(results.shots) as shot
            where shot.key = named.task
        ) as shots,
        coalesce(:lower_is_better, (
            select not direction.value from json_each(results.directions, '$."' || named.task || '"') as direction
            where direction.key = named.metric and direction.type in ('true', 'false')
        ), 0) as is_lower_better,
        (
            select value.value from json_each(named.doc) as value
            where value.key = named.metric and value.type in ('integer', 'real', 'true', 'false')
        ) as value
    from named
    cross join filters  -- SQLite keeps the order of a cross join: each sample is read once
    left join results
        on results.run = coalesce(named.run || '.json', 'json')
    where
        named.source = filters.source
        and named.filter is filters.filter
        and case when :scorer is null then filters.place = 1 else named.filter = :scorer end
),

verdicts as materialized (
    select
        *,
        case
            when is_lower_better then value <= coalesce(:threshold, 0)
            else value >= coalesce(:threshold, 1)
        end as success
    from facts
)

select
    coalesce(:task_type, task) as task_type,
    coalesce(:model_id, model) as model_id,
    success,
    coalesce(run, timestamp, :timestamp, '?') || '/' || coalesce(:model_id, model, '?') || '/' || task || '/'
    || json_extract(doc, '$.doc_id') as event_id,
    task || '/' || json_extract(doc, '$.doc_id') as task_id,
    coalesce(timestamp, :timestamp) as timestamp,
    case when shots > 0 then shots || '-shot' end as variant,
    case when not is_lower_better and value between 0 and 1 then value end as score,
    case when success is null then 'no number under ' || coalesce(metric, 'metrics') end as no_verdict_reason
from verdicts

-- title: a trace of Langfuse
-- files: *.json, *.jsonl
-- group: file
-- recognise: trace observations projectId | observations scores latency projectId
-- versions: langfuse 3, exports of 2025-09 to 2025-12
-- :score (required) the name of the score that decides
-- :threshold (required) a score from this number on is a success
-- :lower_is_better (required) the direction: a toxicity is better if it is low, a correctness if it is high
-- :task_type the kind of task; default: the trace's name
-- :model_id the model; default: the one of the generation that wrote most
--
-- A score of a person counts before others, one of the trace before one of an observation, then the newest. A true
-- counts as 1 and a false as 0, so the direction holds for them, too. A generation inside a generation repeats it: only
-- the innermost count. `latency` is seconds or milliseconds, so the duration comes from the observations' times.
with recursive

items as materialized (
    select doc as item from raw
    where json_type(doc) = 'object' and coalesce(json_type(doc, '$.data'), '') <> 'array'
    union all
    select each.value from raw
    inner join json_each(raw.doc, case json_type(raw.doc) when 'array' then '$' else '$.data' end) as each
    where (json_type(raw.doc) = 'array' or json_type(raw.doc, '$.data') = 'array') and each.type = 'object'
),

traces as materialized (
    select
        coalesce(json_extract(item, '$.trace'), item) as trace,
        coalesce(json_extract(item, '$.trace.id'), json_extract(item, '$.id')) as id,
        coalesce(json_extract(item, '$.observations'), json_extract(item, '$.trace.observations'), '[]') as observations
    from items
    where
        json_type(item, '$.trace') = 'object'
        or (json_type(item, '$.id') = 'text' and json_type(item, '$.observations') = 'array')
),

observations as materialized (
    select
        traces.id as trace_id,
        json_extract(each.value, '$.id') as id,
        json_extract(each.value, '$.parentObservationId') as parent_id,
        json_extract(each.value, '$.type') as kind,
        json_extract(each.value, '$.model') as model,
        json_extract(each.value, '$.startTime') as started_at,
        json_extract(each.value, '$.endTime') as ended_at,
        json_extract(each.value, '$.level') as level,
        json_extract(each.value, '$.usageDetails') as usage,
        json_extract(each.value, '$.inputUsage') as input_usage,
        json_extract(each.value, '$.outputUsage') as output_usage,
        coalesce(
            nullif(json_extract(each.value, '$.totalCost'), 0),
            case
                when json_type(each.value, '$.costDetails.total') is not null
                    then json_extract(each.value, '$.costDetails.total')
            end
        ) as cost_usd,
        coalesce(
            json_extract(each.value, '$.modelParameters.reasoning_effort'),
            json_extract(each.value, '$.modelParameters.reasoningEffort')
        ) as effort
    from traces
    inner join json_each(traces.observations) as each
    where each.type = 'object'
),

above as materialized (
    select
        trace_id,
        parent_id as ancestor
    from observations
    where kind = 'GENERATION' and parent_id is not null and coalesce(usage, '{}') <> '{}'
    union
    select
        above.trace_id,
        observations.parent_id
    from above
    inner join observations on above.trace_id = observations.trace_id and above.ancestor = observations.id
    where observations.parent_id is not null
),

generations as materialized (
    select
        observations.*,
        (
            select sum(usage.value) from json_each(observations.usage) as usage
            where usage.key glob 'output*' and usage.type in ('integer', 'real')
        ) as output_sum,
        (
            select sum(usage.value) from json_each(observations.usage) as usage
            where usage.key <> 'total' and usage.key not glob 'output*' and usage.key not glob '*_details.*'
                and usage.type in ('integer', 'real')
        ) as input_sum,
        (
            select sum(usage.value) from json_each(observations.usage) as usage
            where (usage.key glob '*cached*' or usage.key glob '*cache_read*') and usage.type in ('integer', 'real')
        ) as cached_sum,
        json_extract(observations.usage, '$.total') as total
    from observations
    left join above on observations.trace_id = above.trace_id and observations.id = above.ancestor
    where observations.kind = 'GENERATION' and above.ancestor is null
),

usage as materialized (
    select
        trace_id,
        sum(coalesce(total - output_sum, input_sum, input_usage)) as input_tokens,
        sum(coalesce(output_sum, output_usage)) as output_tokens,
        sum(cached_sum) as cached_input_tokens,
        case when count(*) = count(cost_usd) then sum(cost_usd) end as cost_usd,
        max(effort) as effort
    from generations
    group by trace_id
),

models as materialized (
    select
        trace_id,
        model,
        row_number() over (partition by trace_id order by sum(output_sum) desc, model) as place
    from generations
    where model is not null
    group by trace_id, model
),

times as materialized (
    select
        trace_id,
        cast(round((max(julianday(ended_at)) - min(julianday(started_at))) * 86400000) as integer) as duration_ms
    from observations
    group by trace_id
),

scores as materialized (
    select
        traces.id as trace_id,
        json_extract(each.value, '$.dataType') as type,
        json_extract(each.value, '$.value') as value,
        json_extract(each.value, '$.stringValue') as label,
        row_number() over (
            partition by traces.id
            order by
                json_extract(each.value, '$.source') = 'ANNOTATION' desc,
                json_extract(each.value, '$.observationId') is null desc,
                coalesce(json_extract(each.value, '$.updatedAt'), json_extract(each.value, '$.timestamp')) desc
        ) as place
    from traces
    inner join json_each(traces.trace, '$.scores') as each
    where each.type = 'object' and json_extract(each.value, '$.name') = :score
),

words as materialized (
    select
        column1 as word,
        column2 as value
    from (
        values
        ('yes', 1), ('true', 1), ('pass', 1), ('passed', 1), ('correct', 1),
        ('no', 0), ('false', 0), ('fail', 0), ('failed', 0), ('incorrect', 0)
    )
),

facts as materialized (
    select
        traces.id,
        traces.trace,
        scores.trace_id is not null as is_scored,
        scores.type,
        case
            when scores.type = 'CATEGORICAL' then words.value
            when typeof(scores.value) in ('integer', 'real') then scores.value
        end as value
    from traces
    left join scores on traces.id = scores.trace_id and scores.place = 1
    left join words on lower(trim(scores.label)) = words.word
),

verdicts as materialized (
    select
        *,
        case
            when type in ('BOOLEAN', 'CATEGORICAL') then value <> :lower_is_better
            when :lower_is_better then value <= :threshold
            else value >= :threshold
        end as success
    from facts
)

select
    coalesce(:task_type, json_extract(verdicts.trace, '$.name')) as task_type,
    coalesce(:model_id, models.model) as model_id,
    verdicts.success,
    verdicts.id as event_id,
    json_extract(verdicts.trace, '$.datasetItemId') as task_id,
    json_extract(verdicts.trace, '$.timestamp') as timestamp,
    times.duration_ms,
    usage.input_tokens,
    usage.output_tokens,
    min(usage.cached_input_tokens, usage.input_tokens) as cached_input_tokens,
    usage.cost_usd,
    usage.effort,
    coalesce(json_extract(verdicts.trace, '$.version'), json_extract(verdicts.trace, '$.release')) as variant,
    case
        when not :lower_is_better and verdicts.value between 0 and 1 then verdicts.value
        when verdicts.value between 0 and 1 then 1 - verdicts.value
    end as score,
    json_extract(verdicts.trace, '$.sessionId') as session,
    case
        when verdicts.success is not null then null
        when not verdicts.is_scored then 'no score of that name'
        else 'score is no verdict'
    end as no_verdict_reason
from verdicts
left join usage on verdicts.id = usage.trace_id
left join models on verdicts.id = models.trace_id and models.place = 1
left join times on verdicts.id = times.trace_id

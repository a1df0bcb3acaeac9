-- title: a journal of GSD
-- files: metrics.json, journal/*.jsonl
-- group: all
-- recognise: flowId eventType seq | units autoSessionKey apiRequests | units cacheRead apiRequests
-- versions: gsd 2, metrics of version 1
-- :task_type the kind of task; default: the unit's type
-- :model_id the model of units that metrics.json does not name
--
-- The journal has the verdicts, metrics.json the models and tokens: a unit has the same type, id and start in both. A
-- unit that never began or never ended has no verdict. A cost of 0 is a subscription.
with

units as materialized (
    select
        folder_of(raw.source) as project,
        json_extract(unit.value, '$.type') as kind,
        json_extract(unit.value, '$.id') as id,
        json_extract(unit.value, '$.model') as model,
        json_extract(unit.value, '$.startedAt') as started_ms,
        json_extract(unit.value, '$.finishedAt') as finished_ms,
        json_extract(unit.value, '$.cost') as cost,
        json_extract(unit.value, '$.tokens.input') as input_tokens,
        json_extract(unit.value, '$.tokens.output') as output_tokens,
        coalesce(json_extract(unit.value, '$.tokens.cacheRead'), 0) as cache_read_tokens,
        coalesce(json_extract(unit.value, '$.tokens.cacheWrite'), 0) as cache_write_tokens
    from raw
    inner join json_each(raw.doc, '$.units') as unit
),

events as materialized (
    select
        folder_of(folder_of(source)) as project,
        json_extract(doc, '$.eventType') as event,
        json_extract(doc, '$.flowId') as flow,
        json_extract(doc, '$.seq') as seq,
        json_extract(doc, '$.ts') as at,
        json_extract(doc, '$.data.unitType') as kind,
        json_extract(doc, '$.data.unitId') as id,
        json_extract(doc, '$.data.status') as status,
        json_extract(doc, '$.data.artifactVerified') as is_verified,
        json_extract(doc, '$.data.errorContext.category') as category,
        json_extract(doc, '$.causedBy.flowId') as cause_flow,
        json_extract(doc, '$.causedBy.seq') as cause_seq
    from raw
    where json_extract(doc, '$.eventType') in ('unit-start', 'unit-end')
),

starts as materialized (
    select
        *,
        cast(strftime('%s', at) as integer) * 1000 + cast(substr(strftime('%f', at), 4) as integer) as at_ms,
        row_number() over (partition by project, kind, id order by at, flow, seq) as attempt
    from events
    where event = 'unit-start'
),

ends as materialized (
    select * from events
    where event = 'unit-end'
),

matches as materialized (
    select
        starts.project,
        starts.flow,
        starts.seq,
        units.*,
        row_number() over (
            partition by starts.project, starts.flow, starts.seq order by abs(units.started_ms - starts.at_ms)
        ) as place
    from starts
    inner join units
        on
            starts.project = units.project
            and starts.kind = units.kind
            and starts.id = units.id
            and units.started_ms between starts.at_ms - 1000 and starts.at_ms + 1000
),

facts as materialized (
    select
        starts.project,
        starts.flow,
        starts.seq,
        starts.at,
        starts.kind,
        starts.id,
        starts.attempt,
        ends.status,
        ends.is_verified,
        ends.category,
        matches.started_ms is not null as has_begun,
        matches.model,
        matches.cost,
        matches.input_tokens + matches.cache_read_tokens + matches.cache_write_tokens as input_tokens,
        matches.cache_read_tokens as cached_input_tokens,
        matches.output_tokens,
        coalesce(
            matches.finished_ms - matches.started_ms,
            cast(round((julianday(ends.at) - julianday(starts.at)) * 86400000) as integer)
        ) as duration_ms
    from starts
    left join ends
        on starts.project = ends.project and starts.flow = ends.cause_flow and starts.seq = ends.cause_seq
    left join matches
        on
            starts.project = matches.project
            and starts.flow = matches.flow
            and starts.seq = matches.seq
            and matches.place = 1
),

verdicts as materialized (
    select
        *,
        case
            when status = 'completed' then coalesce(is_verified, 0)
            when status in ('failed', 'error', 'cancelled') and has_begun then 0
        end as success
    from facts
)

select
    coalesce(:task_type, kind) as task_type,
    coalesce(model, :model_id) as model_id,
    success,
    coalesce(not success and category = 'timeout', 0) as timeout,
    'gsd/' || flow || '/' || seq as event_id,
    kind || ' ' || id as task_id,
    attempt,
    at as timestamp,
    duration_ms,
    input_tokens,
    output_tokens,
    cached_input_tokens,
    cost as cost_usd,
    case when cost = 0 then 'plan' end as cost_source,
    case
        when success then null
        when status = 'completed' then 'invalid_output'
        when category = 'provider' then 'provider_unavailable'
        when category = 'network' then 'network_error'
        else coalesce(category, status)
    end as error_type,
    case
        when success is not null then null
        when status is null then 'unit did not end'
        when not has_begun then 'session_not_created'
        else 'status is ' || status
    end as no_verdict_reason
from verdicts

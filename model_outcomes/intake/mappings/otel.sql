-- title: a file of OpenTelemetry spans
-- files: *.json, *.jsonl
-- group: all
-- recognise: resourceSpans | resourceLogs gen_ai.evaluation.name | context trace_id span_id parent_id attributes | span_id trace_id parent_id attributes
-- versions: GenAI conventions 1.36 to 1.40, OTLP/JSON, Python's ConsoleSpanExporter, OpenInference
-- :score (required) the name of the evaluation that decides
-- :threshold a score from this number on is a success; default: 1
-- :lower_is_better a score up to the threshold is a success
-- :task_type the kind of task; default: the agent's name
-- :model_id the model; default: the one that wrote most
--
-- A unit of work is the outermost span of an agent, or of a model's call outside agents. Its verdict is an event
-- gen_ai.evaluation.result, on the span or as a log record, or an annotation of Phoenix: of the unit itself, or of its
-- trace if that has one unit. Most files have none: a span's status OK is no verdict.
-- A span written twice counts once, the one that ended. The tokens are those of the innermost spans that have any: the
-- spans above repeat them. In OTLP/JSON numbers are texts, and attributes are a list.
with recursive

items as materialized (
    select
        each.value as item,
        raw.rowid as place
    from raw
    inner join json_each(raw.doc) as each
    where json_type(raw.doc) = 'array' and each.type = 'object'
    union all
    select
        each.value,
        raw.rowid
    from raw
    inner join json_each(raw.doc, '$.data') as each
    where json_type(raw.doc, '$.data') = 'array' and each.type = 'object'
    union all
    -- Phoenix's files of several traces: {NAME: [span, ...], ...}
    select
        inner_each.value,
        raw.rowid
    from raw
    inner join json_each(raw.doc) as each
    inner join json_each(each.value) as inner_each
    where
        json_type(raw.doc) = 'object' and each.type = 'array'
        and each.key not in ('data', 'resourceSpans', 'resourceLogs', 'events', 'links')
        and inner_each.type = 'object' and json_type(inner_each.value, '$.attributes') is not null
    union all
    select
        doc,
        rowid
    from raw
    where json_type(doc) = 'object'
),

scopes as materialized (
    select
        scope.value as scope,
        items.place
    from items
    inner join json_each(items.item, '$.resourceSpans') as resource
    inner join json_each(resource.value, '$.scopeSpans') as scope
),

written as materialized (
    select
        span.value as span,
        scopes.place
    from scopes
    inner join json_each(scopes.scope, '$.spans') as span
    union all
    select
        coalesce(json_extract(item, '$.span'), item),
        place
    from items
    where
        coalesce(
            json_extract(item, '$.span.span_id'), json_extract(item, '$.context.span_id'),
            json_extract(item, '$.span_id'), json_extract(item, '$.spanId')
        ) is not null
        and coalesce(json_type(item, '$.attributes'), json_type(item, '$.span.attributes')) in ('object', 'array')
        and json_type(item, '$.timeUnixNano') is null
),

identified as materialized (
    select
        span,
        place,
        replace(coalesce(
            json_extract(span, '$.traceId'), json_extract(span, '$.context.trace_id'), json_extract(span, '$.trace_id')
        ), '0x', '') as trace_id,
        replace(coalesce(
            json_extract(span, '$.spanId'), json_extract(span, '$.context.span_id'), json_extract(span, '$.span_id')
        ), '0x', '') as span_id,
        nullif(replace(coalesce(
            json_extract(span, '$.parentSpanId'), json_extract(span, '$.parent_id'),
            json_extract(span, '$.parent_span_id')
        ), '0x', ''), '') as parent_id,
        coalesce(json_extract(span, '$.startTimeUnixNano'), json_extract(span, '$.start_time')) as started_at,
        coalesce(json_extract(span, '$.endTimeUnixNano'), json_extract(span, '$.end_time')) as ended_at
    from written
),

single as materialized (
    select
        *,
        row_number() over (partition by trace_id, span_id order by ended_at is null, place desc) as copy
    from identified
),

attributes as materialized (
    select
        single.trace_id,
        single.span_id,
        coalesce(json_extract(each.value, '$.key'), each.key) as name,
        coalesce(
            json_extract(each.value, '$.value.stringValue'), json_extract(each.value, '$.value.intValue'),
            json_extract(each.value, '$.value.doubleValue')
        ) as value
    from single
    inner join json_each(single.span, '$.attributes') as each
    where single.copy = 1 and json_type(single.span, '$.attributes') = 'array' and each.type = 'object'
    union all
    select
        single.trace_id,
        single.span_id,
        each.key,
        each.value
    from single
    inner join json_each(single.span, '$.attributes') as each
    where
        single.copy = 1 and json_type(single.span, '$.attributes') = 'object'
        and each.type in ('text', 'integer', 'real')
),

facts as materialized (
    select
        trace_id,
        span_id,
        max(value) filter (where name = 'gen_ai.operation.name') as operation,
        max(value) filter (where name in ('openinference.span.kind', 'traceloop.span.kind')) as kind,
        max(value) filter (where name in ('gen_ai.agent.name', 'agent.name')) as agent,
        max(value) filter (where name = 'gen_ai.agent.version') as agent_version,
        coalesce(
            max(value) filter (where name = 'gen_ai.response.model'),
            max(value) filter (where name = 'gen_ai.request.model'),
            max(value) filter (where name in ('llm.model_name', 'llm.model'))
        ) as model,
        max(value) filter (where name in ('gen_ai.request.reasoning_effort', 'gen_ai.request.reasoning.level')) as effort,
        cast(coalesce(
            max(value) filter (where name = 'gen_ai.usage.input_tokens'),
            max(value) filter (
                where name in ('gen_ai.usage.prompt_tokens', 'llm.token_count.prompt', 'llm.usage.prompt_tokens')
            )
        ) as integer) as input_tokens,
        cast(coalesce(
            max(value) filter (where name = 'gen_ai.usage.output_tokens'),
            max(value) filter (
                where
                name in (
                    'gen_ai.usage.completion_tokens', 'llm.token_count.completion', 'llm.usage.completion_tokens'
                )
            )
        ) as integer) as output_tokens,
        cast(max(value) filter (
            where
            name in ('gen_ai.usage.cache_read.input_tokens', 'llm.token_count.prompt_details.cache_read')
        ) as integer) as cached_input_tokens,
        cast(
            max(value) filter (where name in ('gen_ai.usage.cost', 'llm.cost.total', 'operation.cost')) as real
        ) as cost_usd,
        max(value) filter (where name = 'error.type') as error_type
    from attributes
    group by trace_id, span_id
),

spans as materialized (
    select
        single.trace_id,
        single.span_id,
        single.parent_id,
        single.started_at,
        single.ended_at,
        json_extract(single.span, '$.name') as name,
        facts.agent,
        facts.agent_version,
        facts.model,
        facts.effort,
        facts.input_tokens,
        facts.output_tokens,
        facts.cached_input_tokens,
        facts.cost_usd,
        facts.error_type,
        case
            when facts.operation in ('invoke_agent', 'invoke_workflow') then 'agent'
            when facts.operation in ('chat', 'generate_content', 'text_completion') then 'llm'
            when lower(coalesce(json_extract(single.span, '$.span_kind'), facts.kind)) in ('agent', 'workflow')
                then 'agent'
            when lower(coalesce(json_extract(single.span, '$.span_kind'), facts.kind)) = 'llm' then 'llm'
            when json_extract(single.span, '$.kind') in ('agent', 'llm') then json_extract(single.span, '$.kind')
        end as kind
    from single
    left join facts on single.trace_id = facts.trace_id and single.span_id = facts.span_id
    where single.copy = 1 and single.trace_id is not null
),

above as materialized (
    select
        trace_id,
        span_id,
        parent_id as ancestor
    from spans
    where parent_id is not null and (kind is not null or input_tokens is not null or output_tokens is not null)
    union
    select
        above.trace_id,
        above.span_id,
        spans.parent_id
    from above
    inner join spans on above.trace_id = spans.trace_id and above.ancestor = spans.span_id
    where spans.parent_id is not null
),

-- Spans inside an agent, or inside a call.
inner_spans as materialized (
    select distinct
        above.trace_id,
        above.span_id
    from above
    inner join spans as outer_span
        on above.trace_id = outer_span.trace_id and above.ancestor = outer_span.span_id
    where outer_span.kind is not null
),

-- Spans above one that has tokens.
outer_spans as materialized (
    select distinct
        above.trace_id,
        above.ancestor as span_id
    from above
    inner join spans as inner_span
        on above.trace_id = inner_span.trace_id and above.span_id = inner_span.span_id
    where inner_span.input_tokens is not null or inner_span.output_tokens is not null
),

units as materialized (
    select
        spans.*,
        count(*) over (partition by spans.trace_id) as unit_count
    from spans
    left join inner_spans on spans.trace_id = inner_spans.trace_id and spans.span_id = inner_spans.span_id
    where spans.kind is not null and inner_spans.span_id is null
),

calls as materialized (
    select spans.*
    from spans
    left join outer_spans on spans.trace_id = outer_spans.trace_id and spans.span_id = outer_spans.span_id
    where (spans.input_tokens is not null or spans.output_tokens is not null) and outer_spans.span_id is null
),

calls_of_units as materialized (
    select
        units.trace_id,
        units.span_id as unit_id,
        calls.model,
        calls.effort,
        calls.input_tokens,
        calls.output_tokens,
        calls.cached_input_tokens,
        calls.cost_usd
    from calls
    inner join above on calls.trace_id = above.trace_id and calls.span_id = above.span_id
    inner join units on above.trace_id = units.trace_id and above.ancestor = units.span_id
    union all
    select
        units.trace_id,
        units.span_id,
        calls.model,
        calls.effort,
        calls.input_tokens,
        calls.output_tokens,
        calls.cached_input_tokens,
        calls.cost_usd
    from calls
    inner join units on calls.trace_id = units.trace_id and calls.span_id = units.span_id
),

usage as materialized (
    select
        trace_id,
        unit_id,
        sum(input_tokens) as input_tokens,
        sum(output_tokens) as output_tokens,
        sum(cached_input_tokens) as cached_input_tokens,
        case when count(*) = count(cost_usd) then sum(cost_usd) end as cost_usd,
        max(effort) as effort
    from calls_of_units
    group by trace_id, unit_id
),

models as materialized (
    select
        trace_id,
        unit_id,
        model,
        row_number() over (partition by trace_id, unit_id order by sum(output_tokens) desc, model) as place
    from calls_of_units
    where model is not null
    group by trace_id, unit_id, model
),

events as materialized (
    select
        single.trace_id,
        single.span_id,
        event.value as event,
        coalesce(json_extract(event.value, '$.timeUnixNano'), json_extract(event.value, '$.timestamp')) as at
    from single
    inner join json_each(single.span, '$.events') as event
    where event.type = 'object' and json_extract(event.value, '$.name') = 'gen_ai.evaluation.result'
    union all
    select
        json_extract(record.value, '$.traceId'),
        json_extract(record.value, '$.spanId'),
        record.value,
        json_extract(record.value, '$.timeUnixNano')
    from items
    inner join json_each(items.item, '$.resourceLogs') as resource
    inner join json_each(resource.value, '$.scopeLogs') as scope
    inner join json_each(scope.value, '$.logRecords') as record
    where record.value like '%gen_ai.evaluation.name%'
),

event_attributes as materialized (
    select
        events.trace_id,
        events.span_id,
        events.at,
        events.event,
        coalesce(json_extract(each.value, '$.key'), each.key) as name,
        coalesce(
            json_extract(each.value, '$.value.stringValue'), json_extract(each.value, '$.value.intValue'),
            json_extract(each.value, '$.value.doubleValue')
        ) as value
    from events
    inner join json_each(events.event, '$.attributes') as each
    where json_type(events.event, '$.attributes') = 'array' and each.type = 'object'
    union all
    select
        events.trace_id,
        events.span_id,
        events.at,
        events.event,
        each.key,
        each.value
    from events
    inner join json_each(events.event, '$.attributes') as each
    where json_type(events.event, '$.attributes') = 'object'
),

evaluations as materialized (
    select
        trace_id,
        span_id,
        at,
        max(value) filter (where name = 'gen_ai.evaluation.score.label') as label,
        cast(max(value) filter (where name = 'gen_ai.evaluation.score.value') as real) as value,
        max(value) filter (where name = 'error.type') as error
    from event_attributes
    group by trace_id, span_id, at, event
    having max(value) filter (where name = 'gen_ai.evaluation.name') = :score
    union all
    select
        coalesce(json_extract(items.item, '$.trace_id'), spans.trace_id),
        json_extract(items.item, '$.span_id'),
        json_extract(items.item, '$.updated_at'),
        json_extract(items.item, '$.result.label'),
        json_extract(items.item, '$.result.score'),
        null
    from items
    left join spans on json_extract(items.item, '$.span_id') = spans.span_id
    where json_type(items.item, '$.annotator_kind') = 'text' and json_extract(items.item, '$.name') = :score
),

judged as materialized (
    select
        units.trace_id,
        units.span_id,
        evaluations.label,
        evaluations.value,
        evaluations.error,
        row_number() over (
            partition by units.trace_id, units.span_id
            order by evaluations.span_id is units.span_id desc, evaluations.at desc
        ) as place
    from units
    inner join evaluations
        on
            units.trace_id = evaluations.trace_id
            and (units.span_id is evaluations.span_id or units.unit_count = 1)
),

words as materialized (
    select
        column1 as word,
        column2 as success
    from (
        values
        ('yes', 1), ('true', 1), ('pass', 1), ('passed', 1), ('correct', 1),
        ('no', 0), ('false', 0), ('fail', 0), ('failed', 0), ('incorrect', 0)
    )
),

verdicts as materialized (
    select
        units.*,
        judged.trace_id is not null as is_judged,
        judged.error is not null as has_judge_error,
        judged.value,
        case
            when judged.error is not null then null
            when judged.value is not null and :lower_is_better then judged.value <= coalesce(:threshold, 0)
            when judged.value is not null then judged.value >= coalesce(:threshold, 1)
            else words.success <> coalesce(:lower_is_better, 0)
        end as success
    from units
    left join judged on units.trace_id = judged.trace_id and units.span_id = judged.span_id and judged.place = 1
    left join words on lower(trim(judged.label)) = words.word
),

timed as materialized (
    select
        *,
        case
            when cast(started_at as integer) > 100000000000000
                then strftime('%Y-%m-%dT%H:%M:%fZ', cast(started_at as integer) / 1000000000.0, 'unixepoch')
            else started_at
        end as timestamp,
        case
            when cast(started_at as integer) > 100000000000000
                then (cast(ended_at as integer) - cast(started_at as integer)) / 1000000
            else cast(round((julianday(ended_at) - julianday(started_at)) * 86400000) as integer)
        end as duration_ms
    from verdicts
)

select
    coalesce(:task_type, timed.agent, timed.name) as task_type,
    coalesce(:model_id, models.model, timed.model) as model_id,
    timed.success,
    not timed.success and coalesce(timed.error_type, '') in ('timeout', 'TimeoutError') as timeout,
    timed.trace_id || '/' || timed.span_id as event_id,
    timed.timestamp,
    timed.duration_ms,
    usage.input_tokens,
    usage.output_tokens,
    min(usage.cached_input_tokens, usage.input_tokens) as cached_input_tokens,
    usage.cost_usd,
    case when not timed.success then timed.error_type end as error_type,
    timed.agent || coalesce(' ' || timed.agent_version, '') as agent,
    usage.effort,
    case
        when timed.value between 0 and 1 and coalesce(:lower_is_better, 0) then 1 - timed.value
        when timed.value between 0 and 1 then timed.value
    end as score,
    case
        when timed.success is not null then null
        when timed.has_judge_error then 'judge_error'
        when not timed.is_judged then 'no evaluation of that name'
        else 'evaluation is no verdict'
    end as no_verdict_reason
from timed
left join usage on timed.trace_id = usage.trace_id and timed.span_id = usage.unit_id
left join models on timed.trace_id = models.trace_id and timed.span_id = models.unit_id and models.place = 1

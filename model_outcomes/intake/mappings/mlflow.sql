-- title: an MLflow database
-- files: mlflow.db, *.sqlite
-- group: file
-- recognise: table:trace_info table:assessments table:experiments
-- versions: mlflow 3.5 to 3.18
-- :score (required) the name of the assessment that decides
-- :threshold a number from this on is a success; default: 1
-- :lower_is_better a number up to the threshold is a success, and true or yes is a failure
-- :task_type the kind of task; default: the experiment's name
-- :model_id the model; default: the one of the span that wrote most, else the run's parameter model
--
-- Only valid feedback counts: an override makes the assessment before it invalid. A human's assessment counts before
-- those of code and of a judge, then the newest. A judge's error is no verdict.
-- A SELECT inside looks up columns that only some versions have: in others it finds the null of `absent`.
with

absent as materialized (
    select
        null as input_tokens,
        null as output_tokens,
        null as cache_read_input_tokens,
        null as total_cost,
        null as model_name
),

totals as materialized (
    select
        traces.request_id,
        (
            select input_tokens from source.trace_info as own
            where own.request_id = traces.request_id
        ) as input_tokens,
        (
            select output_tokens from source.trace_info as own
            where own.request_id = traces.request_id
        ) as output_tokens,
        (
            select cache_read_input_tokens from source.trace_info as own
            where own.request_id = traces.request_id
        ) as cached_input_tokens,
        (
            select total_cost from source.trace_info as own
            where own.request_id = traces.request_id
        ) as cost_usd
    from source.trace_info as traces
    cross join absent
),

metrics as materialized (
    select
        request_id,
        max(value) filter (where "key" = 'input_tokens') as input_tokens,
        max(value) filter (where "key" = 'output_tokens') as output_tokens,
        max(value) filter (where "key" = 'cache_read_input_tokens') as cached_input_tokens
    from source.trace_metrics
    group by request_id
),

metadata as materialized (
    select
        request_id,
        max(value) filter (where "key" = 'mlflow.sourceRun') as run,
        max(value) filter (where "key" = 'mlflow.trace.session') as session,
        max(value) filter (where "key" = 'mlflow.trace.cost' and json_valid(value)) as cost,
        max(value) filter (where "key" = 'mlflow.trace.tokenUsage' and json_valid(value)) as usage
    from source.trace_request_metadata
    group by request_id
),

calls as materialized (
    select
        spans.trace_id,
        coalesce(
            (select model_name from source.spans as own where own.rowid = spans.rowid),
            json_extract(json_extract(spans.content, '$.attributes."mlflow.llm.model"'), '$')
        ) as model,
        json_extract(
            json_extract(spans.content, '$.attributes."mlflow.chat.tokenUsage"'), '$.output_tokens'
        ) as output_tokens
    from source.spans
    cross join absent
    where json_valid(spans.content)
),

models as materialized (
    select
        trace_id,
        model,
        row_number() over (partition by trace_id order by output_tokens desc, model) as place
    from calls
    where model is not null
),

assessed as materialized (
    select
        trace_id,
        value,
        error,
        assessment_id,
        row_number() over (
            partition by trace_id
            order by source_type = 'HUMAN' desc, last_updated_timestamp desc, assessment_id desc
        ) as place
    from source.assessments
    -- With +, SQLite does not expect few rows by an index, and joins the result by one.
    where name = :score and valid and +assessment_type = 'feedback'
),

facts as materialized (
    select
        traces.request_id,
        traces.timestamp_ms,
        traces.execution_time_ms,
        traces.status,
        experiments.name as experiment,
        metadata.run,
        metadata.session,
        models.model,
        assessed.trace_id is not null as is_assessed,
        coalesce(assessed.error, 'null') <> 'null' as has_error,
        case when json_valid(assessed.value) then json_type(assessed.value) end as value_type,
        case when json_valid(assessed.value) then json_extract(assessed.value, '$') end as value,
        coalesce(
            totals.input_tokens,
            metrics.input_tokens,
            json_extract(metadata.usage, '$.input_tokens')
        ) as input_tokens,
        coalesce(
            totals.output_tokens,
            metrics.output_tokens,
            json_extract(metadata.usage, '$.output_tokens')
        ) as output_tokens,
        coalesce(
            totals.cached_input_tokens,
            metrics.cached_input_tokens,
            json_extract(metadata.usage, '$.cache_read_input_tokens')
        ) as cached_input_tokens,
        coalesce(
            totals.cost_usd,
            json_extract(metadata.cost, '$.total_cost')
        ) as cost_usd
    from source.trace_info as traces
    inner join totals on traces.request_id = totals.request_id
    inner join source.experiments as experiments on traces.experiment_id = experiments.experiment_id
    left join metrics on traces.request_id = metrics.request_id
    left join metadata on traces.request_id = metadata.request_id
    left join models on traces.request_id = models.trace_id and models.place = 1
    left join assessed on traces.request_id = assessed.trace_id and assessed.place = 1
),

words as materialized (
    select * from (
        values
        ('yes', 1), ('true', 1), ('pass', 1), ('passed', 1), ('correct', 1),
        ('no', 0), ('false', 0), ('fail', 0), ('failed', 0), ('incorrect', 0)
    )
),

verdicts as materialized (
    select
        facts.*,
        case
            when has_error then null
            when value_type in ('true', 'false') then value <> coalesce(:lower_is_better, 0)
            when value_type in ('integer', 'real') and :lower_is_better then value <= coalesce(:threshold, 0)
            when value_type in ('integer', 'real') then value >= coalesce(:threshold, 1)
            when value_type = 'text' then words.column2 <> coalesce(:lower_is_better, 0)
        end as success
    from facts
    left join words on lower(trim(facts.value)) = words.column1 and facts.value_type = 'text'
)

select
    coalesce(:task_type, experiment) as task_type,
    coalesce(
        :model_id,
        model,
        (
            select params.value from source.params as params
            where params.run_uuid = run and params."key" in ('model', 'model_name', 'model_id')
            order by params."key"
            limit 1
        )
    ) as model_id,
    success,
    request_id as event_id,
    strftime('%Y-%m-%dT%H:%M:%fZ', timestamp_ms / 1000.0, 'unixepoch') as timestamp,
    execution_time_ms as duration_ms,
    cast(input_tokens as integer) as input_tokens,
    cast(output_tokens as integer) as output_tokens,
    min(cast(cached_input_tokens as integer), cast(input_tokens as integer)) as cached_input_tokens,
    cost_usd,
    case when not success and status = 'ERROR' then 'trace_error' end as error_type,
    case
        when value_type in ('true', 'false') then value <> coalesce(:lower_is_better, 0)
        when value_type in ('integer', 'real') and value between 0 and 1
            then case when :lower_is_better then 1 - value else value end
    end as score,
    run as mlflow_run,
    session,
    case
        when success is not null then null
        when not is_assessed then 'no assessment of that name'
        when has_error then 'judge_error'
        else 'assessment is no verdict (' || coalesce(value_type, 'text') || ')'
    end as no_verdict_reason
from verdicts

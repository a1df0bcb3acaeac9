-- title: a database of Arize Phoenix
-- files: phoenix.db
-- group: file
-- recognise: table:experiment_runs table:experiment_run_annotations table:span_annotations
-- versions: arize-phoenix 11 to 20.26
-- :score (required) the name of the annotation that decides
-- :threshold a score from this number on is a success; default: 1
-- :lower_is_better a score up to the threshold is a success
-- :task_type the kind of task; default: the data set, or the project of a trace
-- :model_id the model; default: the one of the call that wrote most, or the experiment's metadata
--
-- An outcome is a run of an experiment, or a trace outside experiments. Of a trace, a person's annotation counts before
-- those of code and of a judge, and one of the trace before one of its first span. A judge's error is no verdict.
-- Its times are UTC and do not say so. Spans as JSON are read by `otel`.
with

absent as materialized (
    select
        null as prompt_token_count,
        null as completion_token_count
),

calls as materialized (
    select
        trace_rowid,
        json_extract(attributes, '$.llm.model_name') as model,
        llm_token_count_prompt as input_tokens,
        llm_token_count_completion as output_tokens,
        json_extract(attributes, '$.llm.token_count.prompt_details.cache_read') as cached_input_tokens
    from source.spans
    where span_kind = 'LLM'
),

usage as materialized (
    select
        trace_rowid,
        sum(input_tokens) as input_tokens,
        sum(output_tokens) as output_tokens,
        sum(cached_input_tokens) as cached_input_tokens
    from calls
    group by trace_rowid
),

models as materialized (
    select
        trace_rowid,
        model,
        row_number() over (partition by trace_rowid order by output_tokens desc, model) as place
    from calls
    where model is not null
),

costs as materialized (
    select
        trace_rowid,
        sum(total_cost) as cost_usd
    from source.span_costs
    group by trace_rowid
),

runs as materialized (
    select
        experiments.created_at || '/' || runs.dataset_example_id || '/' || runs.repetition_number as event_id,
        datasets.name as task_type,
        datasets.name || '/' || coalesce(examples.external_id, examples.id) as task_id,
        runs.repetition_number as attempt,
        experiments.name as variant,
        json_extract(experiments.metadata, '$.model') as model,
        traces.id as trace_rowid,
        runs.start_time,
        runs.end_time,
        runs.error,
        (
            select prompt_token_count from source.experiment_runs as own
            where own.id = runs.id
        ) as input_tokens,
        (
            select completion_token_count from source.experiment_runs as own
            where own.id = runs.id
        ) as output_tokens,
        annotations.id is not null as is_annotated,
        annotations.label,
        annotations.score,
        annotations.error as judge_error
    from source.experiment_runs as runs
    cross join absent
    inner join source.experiments as experiments on runs.experiment_id = experiments.id
    inner join source.datasets as datasets on experiments.dataset_id = datasets.id
    inner join source.dataset_examples as examples on runs.dataset_example_id = examples.id
    left join source.traces as traces on runs.trace_id = traces.trace_id
    left join source.experiment_run_annotations as annotations
        on runs.id = annotations.experiment_run_id and annotations.name = :score
),

of_experiments as materialized (
    select trace_id from source.experiment_runs
    where trace_id is not null
    union
    select trace_id from source.experiment_run_annotations
    where trace_id is not null
),

-- With +, SQLite does not expect few rows by an index, and joins the result by one.
annotations as materialized (
    select
        trace_rowid,
        label,
        score,
        row_number() over (
            partition by trace_rowid
            order by annotator_kind = 'HUMAN' desc, annotator_kind = 'CODE' desc, of_trace desc, updated_at desc, id desc
        ) as place
    from (
        select
            id,
            trace_rowid,
            label,
            score,
            annotator_kind,
            updated_at,
            1 as of_trace
        from source.trace_annotations
        where +name = :score
        union all
        select
            own.id,
            spans.trace_rowid,
            own.label,
            own.score,
            own.annotator_kind,
            own.updated_at,
            0 as of_trace
        from source.span_annotations as own
        inner join source.spans as spans on own.span_rowid = spans.id
        where +own.name = :score and +spans.parent_id is null
    )
),

traced as materialized (
    select
        traces.trace_id as event_id,
        projects.name as task_type,
        null as task_id,
        null as attempt,
        null as variant,
        null as model,
        traces.id as trace_rowid,
        traces.start_time,
        traces.end_time,
        null as error,
        null as input_tokens,
        null as output_tokens,
        annotations.trace_rowid is not null as is_annotated,
        annotations.label,
        annotations.score,
        null as judge_error
    from source.traces as traces
    inner join source.projects as projects on traces.project_rowid = projects.id
    left join annotations on traces.id = annotations.trace_rowid and annotations.place = 1
    where
        traces.trace_id not in (select trace_id from of_experiments)
        and projects.name not in (
            select project_name from source.experiments
            where project_name is not null
        )
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
        facts.*,
        case
            when facts.judge_error is not null or facts.error is not null then null
            when facts.score is not null and :lower_is_better then facts.score <= coalesce(:threshold, 0)
            when facts.score is not null then facts.score >= coalesce(:threshold, 1)
            else words.success <> coalesce(:lower_is_better, 0)
        end as success
    from (select * from runs union all select * from traced) as facts
    left join words on lower(trim(facts.label)) = words.word
)

select
    coalesce(:task_type, verdicts.task_type) as task_type,
    coalesce(:model_id, models.model, verdicts.model) as model_id,
    verdicts.success,
    verdicts.event_id,
    verdicts.task_id,
    verdicts.attempt,
    verdicts.variant,
    replace(verdicts.start_time, ' ', 'T') || 'Z' as timestamp,
    cast(round((julianday(verdicts.end_time) - julianday(verdicts.start_time)) * 86400000) as integer) as duration_ms,
    coalesce(usage.input_tokens, verdicts.input_tokens) as input_tokens,
    coalesce(usage.output_tokens, verdicts.output_tokens) as output_tokens,
    usage.cached_input_tokens,
    costs.cost_usd,
    case
        when verdicts.score between 0 and 1 and coalesce(:lower_is_better, 0) then 1 - verdicts.score
        when verdicts.score between 0 and 1 then verdicts.score
    end as score,
    case
        when verdicts.success is not null then null
        when verdicts.error is not null then 'task_error'
        when verdicts.judge_error is not null then 'judge_error'
        when not verdicts.is_annotated then 'no annotation of that name'
        else 'annotation is no verdict'
    end as no_verdict_reason
from verdicts
left join usage on verdicts.trace_rowid = usage.trace_rowid
left join models on verdicts.trace_rowid = models.trace_rowid and models.place = 1
left join costs on verdicts.trace_rowid = costs.trace_rowid

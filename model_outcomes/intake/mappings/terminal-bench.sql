-- title: a result of Terminal-Bench 1
-- files: *results.json, *run_metadata.json
-- each: $.results
-- group: folder
-- recognise: trial_name is_resolved failure_mode | n_concurrent_trials dataset_version agent_name
-- versions: terminal-bench 0.1 to 0.2.18
-- :task_type the kind of task; default: the dataset's name
-- :model_id the model, if the run's metadata name none (agents of one's own)
-- :timestamp the time, if neither the trials nor the run's metadata have one
--
-- A trial that timed out may be solved: `timeout` and `success` are both 1 then. Tokens of 0 are unknown ones.
with

runs as materialized (
    select
        count(*) over () as run_count,
        json_extract(doc, '$.run_id') as run_id,
        json_extract(doc, '$.model_name') as model_name,
        json_extract(doc, '$.agent_name') as agent_name,
        json_extract(doc, '$.agent_kwargs.version') as agent_version,
        json_extract(doc, '$.dataset_name') as dataset_name,
        json_extract(doc, '$.start_time') as start_time
    from raw
    where member is null and json_type(doc, '$.run_id') = 'text' and json_type(doc, '$.results') is null
),

-- Each use of json_extract reads the trial again: every value is read once here.
trials as materialized (
    select
        coalesce(json_extract(doc, '$.id'), json_extract(doc, '$.uuid')) as id,
        json_extract(doc, '$.trial_name') as trial_name,
        json_extract(doc, '$.task_id') as task_id,
        json_extract(doc, '$.is_resolved') as is_resolved,
        nullif(nullif(json_extract(doc, '$.failure_mode'), 'unset'), 'none') as failure_mode,
        nullif(json_extract(doc, '$.total_input_tokens'), 0) as input_tokens,
        json_extract(doc, '$.total_output_tokens') as output_tokens,
        json_extract(doc, '$.trial_started_at') as started_at,
        julianday(json_extract(doc, '$.agent_ended_at')) - julianday(json_extract(doc, '$.agent_started_at')) as days
    from raw
    where member = '$.results' and json_type(doc, '$.is_resolved') is not null
)

select
    coalesce(:task_type, runs.dataset_name, 'terminal-bench') as task_type,
    coalesce(runs.model_name, :model_id) as model_id,
    trials.is_resolved as success,
    trials.failure_mode is 'agent_timeout' as timeout,
    coalesce(trials.id, runs.run_id || '/' || trials.trial_name) as event_id,
    trials.task_id,
    coalesce(trials.started_at, runs.start_time, :timestamp) as timestamp,
    cast(round(86400000 * trials.days) as integer) as duration_ms,
    trials.input_tokens,
    case when trials.input_tokens is not null then trials.output_tokens end as output_tokens,
    case when not trials.is_resolved then trials.failure_mode end as error_type,
    runs.agent_name || coalesce(' ' || runs.agent_version, '') as agent,
    -- "hello-world.2-of-5.some-run" is the second attempt.
    nullif(cast(substr(trials.trial_name, length(trials.task_id) + 2) as integer), 0) as attempt,
    case when trials.is_resolved is null then coalesce(trials.failure_mode, 'not graded') end as no_verdict_reason
from trials
left join runs on runs.run_count = 1 or trials.trial_name like '%.' || runs.run_id

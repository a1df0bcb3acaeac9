-- title: a result of promptfoo
-- files: *.json, *.jsonl, promptfoo.db
-- tables: eval_results, evals
-- group: file
-- recognise: evalId promptIdx testIdx | evalId prompts version stats | table:eval_results table:evals
-- versions: promptfoo 0.118 to 0.121, results of version 3
-- :task_type the kind of task; default: the metadata `task_type` of a test, or the description of the config
-- :model_id the model, for providers that are no models (a script, a URL)
-- :timestamp the time, if the file has none (JSON Lines)
--
-- A response from promptfoo's cache is no attempt: it repeats the cost and the latency of an earlier call.
-- A check that broke is an error of the grader, although promptfoo files it as a failed assertion.
-- A cost of 0 with no tokens is an unknown cost.
with

evals as materialized (
    select
        json_extract(doc, '$.id') as eval_id,
        json_extract(doc, '$.description') as description
    from raw
    where member = 'evals'
),

documents as materialized (
    select
        number,
        doc,
        member,
        json_extract(doc, '$.evalId') as eval_id,
        json_extract(doc, '$.results.timestamp') as run_at,
        json_extract(doc, '$.config.description') as description
    from raw
    where member is null or member = 'eval_results'
),

results as materialized (
    select
        documents.number * 1000000 + item.key as place,
        documents.eval_id,
        documents.run_at,
        documents.description,
        item.value as result,
        json_extract(item.value, '$.testCase') as test_case,
        json_extract(item.value, '$.provider') as provider,
        json_extract(item.value, '$.response') as response,
        json_extract(item.value, '$.prompt') as prompt,
        json_extract(item.value, '$.promptId') as prompt_id,
        json_extract(item.value, '$.testIdx') as test_idx,
        json_extract(item.value, '$.failureReason') as failure_reason,
        json_extract(item.value, '$.latencyMs') as latency_ms
    from documents
    inner join json_each(documents.doc, '$.results.results') as item
    where documents.member is null
    union all
    select
        number,
        eval_id,
        run_at,
        description,
        doc,
        json_extract(doc, '$.testCase'),
        json_extract(doc, '$.provider'),
        json_extract(doc, '$.response'),
        json_extract(doc, '$.prompt'),
        json_extract(doc, '$.promptId'),
        json_extract(doc, '$.testIdx'),
        json_extract(doc, '$.failureReason'),
        json_extract(doc, '$.latencyMs')
    from documents
    where member is null and json_type(doc, '$.testIdx') is not null
    union all
    select
        documents.number,
        evals.eval_id,
        -- A number is milliseconds, a text is what CURRENT_TIMESTAMP gives: UTC without saying so.
        case json_type(documents.doc, '$.created_at')
            when 'integer'
                then strftime('%Y-%m-%dT%H:%M:%fZ', json_extract(documents.doc, '$.created_at') / 1000.0, 'unixepoch')
            else json_extract(documents.doc, '$.created_at') || 'Z'
        end,
        evals.description,
        documents.doc,
        json_extract(documents.doc, '$.test_case'),
        json_extract(documents.doc, '$.provider'),
        json_extract(documents.doc, '$.response'),
        json_extract(documents.doc, '$.prompt'),
        json_extract(documents.doc, '$.prompt_id'),
        json_extract(documents.doc, '$.test_idx'),
        json_extract(documents.doc, '$.failure_reason'),
        json_extract(documents.doc, '$.latency_ms')
    from documents
    left join evals on json_extract(documents.doc, '$.eval_id') = evals.eval_id
    where documents.member = 'eval_results'
),

facts as materialized (
    select
        *,
        case when json_valid(provider) then json_extract(provider, '$.id') else provider end as provider_id,
        case when json_valid(provider) then nullif(json_extract(provider, '$.label'), '') end as provider_label,
        json_extract(response, '$.tokenUsage.prompt') as input_tokens,
        json_extract(response, '$.tokenUsage.completion') as output_tokens,
        coalesce(json_extract(response, '$.cached'), 0) as is_cached,
        json_extract(result, '$.error') as error,
        nullif(json_extract(prompt, '$.label'), json_extract(prompt, '$.raw')) as prompt_label
    from results
),

attempts as materialized (
    select
        *,
        row_number() over (
            partition by eval_id, is_cached, test_idx, prompt_id, provider_id, provider_label
            order by place
        ) as attempt
    from facts
)

select
    coalesce(:task_type, json_extract(test_case, '$.metadata.task_type'), description) as task_type,
    case
        when provider_label is not null then provider_label
        when provider_id glob 'file://*' or provider_id glob 'http*://*' or provider_id glob 'python:*'
            or provider_id glob 'exec:*' or provider_id glob 'webhook:*' then :model_id
        else coalesce(provider_id, :model_id)
    end as model_id,
    case when not is_cached then json_extract(result, '$.success') end as success,
    coalesce(
        json_extract(result, '$.id'),
        eval_id || '/' || test_idx || '/' || prompt_id || '/' || provider_id || '/' || attempt
    ) as event_id,
    coalesce(json_extract(test_case, '$.description'), 'test') || ' #' || test_idx as task_id,
    attempt,
    coalesce(run_at, :timestamp) as timestamp,
    latency_ms as duration_ms,
    input_tokens,
    output_tokens,
    case
        when coalesce(json_extract(result, '$.cost'), 0) > 0 or coalesce(input_tokens, 0) + coalesce(output_tokens, 0) > 0
            then json_extract(result, '$.cost')
    end as cost_usd,
    case
        when json_extract(result, '$.success') then null
        when failure_reason = 2 then 'provider_error'
        when error glob 'Custom function threw error*' or error glob 'Python code execution failed*'
            or error glob 'JavaScript code execution failed*' or error glob 'Ruby code execution failed*'
            or error glob 'Webhook error*' or error glob 'Could not extract JSON from *response*'
            or error glob '*rubric*API error*' then 'grader_error'
    end as error_type,
    case when json_extract(result, '$.score') between 0 and 1 then json_extract(result, '$.score') end as score,
    case when length(prompt_label) <= 100 then prompt_label else prompt_id end as variant,
    case when is_cached then 'response from the cache, no attempt' else 'not graded' end as no_verdict_reason
from attempts

-- title: a test run of DeepEval
-- files: .latest_test_run.json, .latest_run_full.json, test_run_*.json, *.latest_test_run.json, deepeval.db
-- tables: test_runs
-- group: file
-- recognise: testRunData testCases | testCases metricsData | table:test_runs table:test_cases table:metric_data
-- versions: deepeval 2.5 to 4.3.1
-- :model_id the model under test; default: the run's hyperparameter model
-- :timestamp the time of the run; its database has it, its JSON does not
-- :score the name of the metric that decides; default: all of them
-- :task_type the kind of task; default: the data set, or the test file
--
-- The models and costs that a metric names are those of its judge. A judge's error is no verdict, unless another metric
-- failed. A flaky metric decides nothing. A run in JSON has no id: its time and its cases' names identify it.
with

runs as materialized (
    select
        coalesce(
            strftime('%Y-%m-%dT%H:%M:%fZ', json_extract(doc, '$.created_at')),
            :timestamp
        ) as timestamp,
        coalesce(json_extract(doc, '$.created_at') || '/' || json_extract(doc, '$.id'), :timestamp) as run_id,
        case
            when member = 'test_runs' then json_extract(doc, '$.payload_json')
            else coalesce(json_extract(doc, '$.testRunData'), doc)
        end as run
    from raw
),

cases as materialized (
    select
        runs.timestamp,
        runs.run_id,
        coalesce(json_extract(runs.run, '$.datasetAlias'), json_extract(runs.run, '$.testFile')) as suite,
        (
            select parameter.value from json_each(runs.run, '$.hyperparameters') as parameter
            where lower(parameter.key) in ('model', 'model_id', 'model name', 'llm') and parameter.type = 'text'
            limit 1
        ) as model,
        each.value as test,
        json_extract(each.value, '$.name') as name,
        coalesce(json_extract(each.value, '$.order'), each.key) as place
    from runs
    inner join json_each(runs.run, '$.testCases') as each
    where json_valid(runs.run)
    union all
    select
        runs.timestamp,
        runs.run_id,
        coalesce(json_extract(runs.run, '$.datasetAlias'), json_extract(runs.run, '$.testFile')),
        (
            select parameter.value from json_each(runs.run, '$.hyperparameters') as parameter
            where lower(parameter.key) in ('model', 'model_id', 'model name', 'llm') and parameter.type = 'text'
            limit 1
        ),
        each.value,
        json_extract(each.value, '$.name'),
        'conversation ' || coalesce(json_extract(each.value, '$.order'), each.key)
    from runs
    inner join json_each(runs.run, '$.conversationalTestCases') as each
    where json_valid(runs.run)
),

metrics as materialized (
    select
        cases.run_id,
        cases.place,
        count(*) as count,
        sum(json_extract(metric.value, '$.error') is not null) as errors,
        sum(json_extract(metric.value, '$.error') is null and json_extract(metric.value, '$.success') = 0) as failures,
        sum(json_extract(metric.value, '$.error') is null and json_extract(metric.value, '$.success') = 1) as successes,
        max(json_extract(metric.value, '$.score')) as score
    from cases
    inner join json_each(cases.test, '$.metricsData') as metric
    where
        not coalesce(json_extract(metric.value, '$.flaky'), 0)
        and (:score is null or json_extract(metric.value, '$.name') = :score)
    group by cases.run_id, cases.place
),

verdicts as materialized (
    select
        cases.*,
        metrics.score,
        metrics.count as metric_count,
        case
            when metrics.failures > 0 then 0
            when metrics.errors > 0 then null
            when metrics.successes > 0 then 1
            when :score is null and metrics.count is null then json_extract(cases.test, '$.success')
        end as success,
        case
            when metrics.errors > 0 then 'judge_error'
            when metrics.count is null and :score is not null then 'no metric of that name'
            else 'no metric judged it'
        end as reason
    from cases
    left join metrics on cases.run_id is metrics.run_id and cases.place = metrics.place
)

select
    coalesce(:task_type, suite) as task_type,
    coalesce(:model_id, model) as model_id,
    success,
    coalesce(run_id, '?') || '/' || coalesce(:model_id, model, '?') || '/' || coalesce(name, '') || '/' || place as event_id,
    coalesce(suite || '/', '') || coalesce(name, place) as task_id,
    timestamp,
    cast(round(json_extract(test, '$.completionTime') * 1000) as integer) as duration_ms,
    json_extract(test, '$.inputTokenCount') as input_tokens,
    json_extract(test, '$.outputTokenCount') as output_tokens,
    json_extract(test, '$.tokenCost') as cost_usd,
    case when metric_count = 1 and score between 0 and 1 then score end as score,
    case when success is null then reason end as no_verdict_reason
from verdicts

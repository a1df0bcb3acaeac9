-- title: a result of Harbor
-- files: result.json
-- group: all
-- recognise: task_name trial_name task_checksum agent_info
-- versions: harbor 0.20 to 0.26
-- :task_type the kind of task; default: the dataset
-- :model_id the model, if the agent names none
-- :score the reward that decides; default: `reward`, or the only one
-- :threshold a reward from this number on is a success; default: 1
--
-- The result.json of a job, beside those of its trials, has no trial in it. A reward counts only if Harbor calls it
-- valid; else the trial failed for the reason that the exception names. Input tokens include cached ones.
with

trials as materialized (
    select
        doc,
        coalesce(
            json_extract(doc, '$.exception_info.exception_type'),
            (
                select json_extract(step.value, '$.exception_info.exception_type')
                from json_each(doc, '$.step_results') as step
                where json_type(step.value, '$.exception_info') = 'object'
                limit 1
            )
        ) as exception_type,
        coalesce(
            json_extract(doc, '$.exception_info.policy.has_valid_reward'),
            (
                select min(json_extract(step.value, '$.exception_info.policy.has_valid_reward'))
                from json_each(doc, '$.step_results') as step
            ),
            1
        ) as is_of_model,
        coalesce(json_extract(doc, '$.reward_valid'), 1) as is_valid,
        coalesce(
            (
                select reward.value from json_each(doc, '$.verifier_result.rewards') as reward
                where reward.key = coalesce(:score, 'reward')
            ),
            (
                select max(reward.value) from json_each(doc, '$.verifier_result.rewards') as reward
                where :score is null
                having count(*) = 1
            )
        ) as reward
    from raw
    where json_type(doc, '$.trial_name') = 'text' and json_type(doc, '$.agent_info') = 'object'
),

usages as materialized (
    select
        json_extract(trials.doc, '$.id') as id,
        sum(json_extract(item.value, '$.n_input_tokens')) as input_tokens,
        sum(json_extract(item.value, '$.n_cache_tokens')) as cached_input_tokens,
        sum(json_extract(item.value, '$.n_output_tokens')) as output_tokens,
        sum(json_extract(item.value, '$.cost_usd')) as cost_usd
    from trials
    inner join json_each(
        case
            when json_type(trials.doc, '$.agent_result') = 'object'
                then json_array(json_extract(trials.doc, '$.agent_result'))
            else (
                select json_group_array(json(json_extract(step.value, '$.agent_result')))
                from json_each(trials.doc, '$.step_results') as step
                where json_type(step.value, '$.agent_result') = 'object'
            )
        end
    ) as item
    group by 1
),

verdicts as materialized (
    select
        *,
        case
            when reward is not null and is_valid and is_of_model then reward >= coalesce(:threshold, 1)
            when exception_type is not null then 0
        end as success
    from trials
)

select
    coalesce(:task_type, json_extract(verdicts.doc, '$.source'), 'harbor') as task_type,
    coalesce(
        coalesce(json_extract(verdicts.doc, '$.agent_info.model_info.provider') || '/', '')
        || json_extract(verdicts.doc, '$.agent_info.model_info.name'),
        :model_id
    ) as model_id,
    verdicts.success,
    coalesce(verdicts.exception_type = 'AgentTimeoutError', 0) as timeout,
    json_extract(verdicts.doc, '$.id') as event_id,
    -- The same name with another checksum is another task.
    json_extract(verdicts.doc, '$.task_name')
    || coalesce('@' || substr(json_extract(verdicts.doc, '$.task_checksum'), 1, 12), '') as task_id,
    coalesce(json_extract(verdicts.doc, '$.started_at'), json_extract(verdicts.doc, '$.finished_at')) as timestamp,
    cast(round(1000 * 86400 * (
        julianday(json_extract(verdicts.doc, '$.agent_execution.finished_at'))
        - julianday(json_extract(verdicts.doc, '$.agent_execution.started_at'))
    )) as integer) as duration_ms,
    usages.input_tokens,
    min(usages.cached_input_tokens, usages.input_tokens) as cached_input_tokens,
    usages.output_tokens,
    usages.cost_usd,
    case when not verdicts.success then verdicts.exception_type end as error_type,
    json_extract(verdicts.doc, '$.agent_info.name')
    || coalesce(' ' || nullif(json_extract(verdicts.doc, '$.agent_info.version'), 'unknown'), '') as agent,
    json_extract(verdicts.doc, '$.config.agent.kwargs.reasoning_effort') as effort,
    case when verdicts.reward between 0 and 1 and verdicts.is_valid then verdicts.reward end as score,
    case
        when verdicts.success is not null then null
        when json_type(verdicts.doc, '$.verifier_result.rewards') = 'object' and verdicts.reward is null
            then 'several rewards and none named reward'
        when verdicts.reward is null then 'no reward'
        else 'reward is not valid'
    end as no_verdict_reason
from verdicts
left join usages on json_extract(verdicts.doc, '$.id') = usages.id

-- title: a result of tau2-bench
-- files: *.json
-- group: all
-- recognise: simulations environment_info agent_info | termination_reason reward_info agent_cost
-- versions: tau2-bench 0.1 to 2026
-- :task_type the kind of task; default: tau2 and the domain
-- :model_id the model, if the run names none
-- :threshold a reward from this number on is a success; default: 1
--
-- Simulations are in results.json, or in files of the folder simulations/ beside it. `user_cost` is the simulated
-- user's, and not counted. Times have no offset: they need --zone.
with

runs as materialized (
    select
        source,
        folder_of(source) as folder,
        coalesce(
            json_extract(doc, '$.info.audio_native_config.model'),
            json_extract(doc, '$.info.agent_info.llm')
        ) as model,
        json_extract(doc, '$.info.environment_info.domain_name') as domain,
        json_extract(doc, '$.info.agent_info.implementation') as agent,
        json_extract(doc, '$.info.agent_info.llm_args.reasoning_effort') as effort
    from raw
    where json_type(doc, '$.info') = 'object' and json_type(doc, '$.simulations') is not null
),

simulations as materialized (
    select runs.*, item.value as simulation
    from runs
    inner join raw on runs.source = raw.source
    inner join json_each(raw.doc, '$.simulations') as item
    union all
    select runs.*, raw.doc
    from raw
    left join runs on folder_of(folder_of(raw.source)) = runs.folder and name_of(runs.source) = 'results.json'
    where json_type(raw.doc, '$.termination_reason') = 'text' and json_type(raw.doc, '$.task_id') is not null
),

usages as materialized (
    select
        json_extract(simulations.simulation, '$.id') as id,
        sum(json_extract(message.value, '$.usage.prompt_tokens')) as input_tokens,
        sum(json_extract(message.value, '$.usage.completion_tokens')) as output_tokens
    from simulations
    inner join json_each(simulations.simulation, '$.messages') as message
    where json_extract(message.value, '$.role') = 'assistant'
    group by 1
),

facts as materialized (
    select
        *,
        json_extract(simulation, '$.id') as id,
        json_extract(simulation, '$.reward_info.reward') as reward,
        json_extract(simulation, '$.termination_reason') as termination_reason
    from simulations
)

select
    coalesce(:task_type, 'tau2 ' || facts.domain) as task_type,
    coalesce(facts.model, :model_id) as model_id,
    facts.reward >= coalesce(:threshold, 0.999999) as success,
    facts.termination_reason = 'timeout' as timeout,
    facts.id as event_id,
    coalesce(facts.domain || '/', '') || json_extract(facts.simulation, '$.task_id') as task_id,
    json_extract(facts.simulation, '$.trial') + 1 as attempt,
    coalesce(json_extract(facts.simulation, '$.start_time'), json_extract(facts.simulation, '$.timestamp')) as timestamp,
    cast(round(json_extract(facts.simulation, '$.duration') * 1000) as integer) as duration_ms,
    usages.input_tokens,
    usages.output_tokens,
    nullif(json_extract(facts.simulation, '$.agent_cost'), 0) as cost_usd,
    case
        when facts.reward < coalesce(:threshold, 0.999999) and facts.termination_reason not in ('user_stop', 'agent_stop')
            then facts.termination_reason
    end as error_type,
    facts.agent,
    facts.effort,
    case when facts.reward between 0 and 1 then facts.reward end as score,
    case
        when facts.reward is not null then null
        when facts.termination_reason in ('user_stop', 'agent_stop') then 'no reward'
        else facts.termination_reason
    end as no_verdict_reason
from facts
left join usages on facts.id = usages.id

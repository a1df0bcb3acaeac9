-- title: a usage log of LiteLLM
-- recognise: request_id spend prompt_tokens completion_tokens | column:request_id column:spend column:prompt_tokens
-- versions: litellm 1.50 to 1.110, /spend/logs as JSON, LiteLLM_SpendLogs as CSV
--
-- A spend of 0 is the default, so it is known only of an answer from the cache.
select
    source,
    'litellm' as tool,
    json_extract(item, '$.request_id') as request_id,
    json_extract(item, '$.session_id') as session_id,
    coalesce(nullif(json_extract(item, '$.model'), ''), json_extract(item, '$.model_group')) as model_id,
    json_extract(item, '$.startTime') as timestamp,
    cast(json_extract(item, '$.prompt_tokens') as integer) as input_tokens,
    cast(json_extract(item, '$.completion_tokens') as integer) as output_tokens,
    case
        when json_valid(json_extract(item, '$.metadata'))
            then
                json_extract(
                    json_extract(item, '$.metadata'), '$.usage_object.prompt_tokens_details.cached_tokens'
                )
    end as cached_input_tokens,
    case
        when cast(json_extract(item, '$.spend') as real) > 0 then cast(json_extract(item, '$.spend') as real)
        when lower(json_extract(item, '$.cache_hit')) = 'true' then 0.0
    end as cost_usd,
    row_number() over (partition by json_extract(item, '$.request_id') order by number) as copy
from items
where json_type(item, '$.request_id') is not null and json_type(item, '$.spend') is not null

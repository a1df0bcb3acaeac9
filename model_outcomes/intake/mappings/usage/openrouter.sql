-- title: an activity log of OpenRouter
-- recognise: column:generation_id column:model_permaslug
-- versions: the CSV export of 2026
--
-- Its times are UTC and do not say so.
select
    source,
    'openrouter' as tool,
    json_extract(item, '$.generation_id') as request_id,
    null as session_id,
    json_extract(item, '$.model_permaslug') as model_id,
    replace(json_extract(item, '$.created_at'), ' ', 'T') || 'Z' as timestamp,
    cast(json_extract(item, '$.tokens_prompt') as integer) as input_tokens,
    cast(json_extract(item, '$.tokens_completion') as integer) as output_tokens,
    cast(json_extract(item, '$.tokens_cached') as integer) as cached_input_tokens,
    cast(json_extract(item, '$.cost_total') as real) as cost_usd,
    row_number() over (partition by json_extract(item, '$.generation_id') order by number) as copy
from items
where json_type(item, '$.generation_id') is not null and json_type(item, '$.model_permaslug') is not null

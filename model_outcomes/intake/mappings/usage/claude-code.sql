-- title: a transcript of Claude Code
-- recognise: sessionId parentUuid isSidechain message
-- versions: ~/.claude/projects of 2025 and 2026
--
-- A response is written 2 to 14 times while it grows: the copy with the most output counts. `input_tokens` is often a
-- placeholder of 1 to 3, without the cached tokens: the sum of the three kinds is the input. It has no costs.
select
    source,
    'claude-code' as tool,
    json_extract(item, '$.message.id') as request_id,
    json_extract(item, '$.sessionId') as session_id,
    json_extract(item, '$.message.model') as model_id,
    json_extract(item, '$.timestamp') as timestamp,
    json_extract(item, '$.message.usage.input_tokens')
    + coalesce(json_extract(item, '$.message.usage.cache_read_input_tokens'), 0)
    + coalesce(json_extract(item, '$.message.usage.cache_creation_input_tokens'), 0) as input_tokens,
    json_extract(item, '$.message.usage.output_tokens') as output_tokens,
    json_extract(item, '$.message.usage.cache_read_input_tokens') as cached_input_tokens,
    null as cost_usd,
    row_number() over (
        partition by json_extract(item, '$.sessionId'), json_extract(item, '$.message.id')
        order by json_extract(item, '$.message.usage.output_tokens') desc, number
    ) as copy
from items
where
    json_extract(item, '$.type') = 'assistant'
    and json_type(item, '$.message.usage') = 'object'
    and coalesce(json_extract(item, '$.message.model'), '') <> '<synthetic>'

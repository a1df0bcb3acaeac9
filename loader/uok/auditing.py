"""The marts over the mirror, computed again: SQL for `loader.auditing`, over its temporary tables, the
mirror, the opening balances (for the names that they know) and the seeds."""

from __future__ import annotations

MIRRORED = """
create temporary view audited_units as
with names (name, known_as) as (
    select alias, model_id from model_aliases
    union
    select model_id, model_id from model_aliases
    union
    select model_id, known_as from audited_outcomes
    union
    select known_as, known_as from audited_outcomes
    union
    select balances.model_id, coalesce(model_aliases.model_id, balances.model_id)
    from legacy_model_stats as balances left join model_aliases on model_aliases.alias = balances.model_id
    union
    select model_aliases.model_id, model_aliases.model_id
    from legacy_model_stats as balances inner join model_aliases on model_aliases.alias = balances.model_id
),
spelled as (select distinct model_id, coalesce(provider, '') as provider from llm_task_outcomes),
known as (
    select
        model_id,
        provider,
        coalesce(
            (select known_as from names where name = spelled.model_id),
            (select known_as from names where provider || '/' || name = spelled.model_id and provider <> ''),
            (select known_as from names where name = provider || '/' || spelled.model_id and provider <> ''),
            model_id
        ) as known_as
    from spelled
)
select
    units.*,
    known.known_as,
    cast(round(coalesce(cost_usd, 0) * 1e9) as integer) as nano_usd,
    datetime(recorded_at / 1000, 'unixepoch') || printf('.%03d', recorded_at % 1000) as began
from llm_task_outcomes as units
inner join known on known.model_id = units.model_id and known.provider = coalesce(units.provider, '')
"""

PERFORMANCE = """
select
    unit_type, known_as, count(*) filter (where succeeded = 1), count(*) filter (where succeeded = 0),
    coalesce(sum(tokens_total), 0), cast(round(sum(nano_usd) / 1e9 * 1e9) as integer),
    count(*) filter (where tokens_total > 0), count(cost_usd), coalesce(sum(retries), 0), coalesce(sum(escalated), 0),
    count(verification_passed), coalesce(sum(verification_passed), 0), coalesce(sum(blocker_discovered), 0),
    min(began), max(began)
from audited_units
group by 1, 2
"""

RECONCILED = """
with ours as (
    select
        task_type, known_as, sum(outcomes) as outcomes, sum(iif(success, outcomes, 0)) as successes,
        sum(timeouts) as timeouts, sum(iif(is_void, outcomes, 0)) as void, sum(tokens) as tokens,
        sum(nano_usd) as nano_usd
    from audited_outcomes
    group by 1, 2
),
theirs as (
    select
        unit_type as task_type, known_as, count(*) as outcomes, sum(succeeded) as successes,
        coalesce(sum(tokens_total), 0) as tokens, sum(nano_usd) as nano_usd
    from audited_units
    group by 1, 2
),
cells as (select task_type, known_as from ours union select task_type, known_as from theirs)
select
    cells.task_type, cells.known_as,
    iif(ours.outcomes is null, 'uok', iif(theirs.outcomes is null, 'ours', 'both')),
    coalesce(ours.outcomes, 0), coalesce(theirs.outcomes, 0), coalesce(ours.successes, 0),
    coalesce(theirs.successes, 0), coalesce(ours.timeouts, 0), coalesce(ours.void, 0),
    coalesce(ours.tokens, 0) - coalesce(theirs.tokens, 0),
    coalesce(ours.nano_usd, 0) - coalesce(theirs.nano_usd, 0)
from cells
left join ours on ours.task_type = cells.task_type and ours.known_as = cells.known_as
left join theirs on theirs.task_type = cells.task_type and theirs.known_as = cells.known_as
"""

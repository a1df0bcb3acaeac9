"""SQL that computes the marts over the mirror again, from the temporary tables of the audit, the mirror, the opening
balances (for their names) and the seeds."""

from __future__ import annotations

from model_outcomes.care.audit.exact import parts, sums
from model_outcomes.care.audit.rollups import WITHIN

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
resolved as (
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
    resolved.known_as,
    cast(round(coalesce(cost_usd, 0) * 1e9) as integer) as nano_usd,
    datetime(recorded_at / 1000, 'unixepoch') || printf('.%03d', recorded_at % 1000) as began
from llm_task_outcomes as units
inner join resolved on resolved.model_id = units.model_id and resolved.provider = coalesce(units.provider, '')
"""

_TOKENS, _NANO_USD = (sums("coalesce(tokens_total, 0)"), sums("nano_usd"))

PERFORMANCE = f"""
select
    unit_type, known_as, count(*) filter (where succeeded = 1), count(*) filter (where succeeded = 0),
    count_of({_TOKENS}), iif(count(cost_usd) > 0, nano_of({_NANO_USD}), null),
    count(*) filter (where tokens_total > 0), count(cost_usd), coalesce(sum(retries), 0), coalesce(sum(escalated), 0),
    count(verification_passed), coalesce(sum(verification_passed), 0), coalesce(sum(blocker_discovered), 0),
    min(began), max(began)
from audited_units
group by 1, 2
"""

# The cost difference is null if the cost of either side is unknown.
RECONCILED = f"""
with ours as (
    select
        task_type, known_as, sum(outcomes) as outcomes, sum(iif(success, outcomes, 0)) as successes,
        sum(iif(success, 0, timeouts)) as timeouts, sum(iif(is_void, outcomes, 0)) as void, sum(priced) as priced,
        sum(tokens_billions) as tokens_billions, sum(tokens_rest) as tokens_rest,
        sum(nano_usd_billions) as nano_usd_billions, sum(nano_usd_rest) as nano_usd_rest
    from audited_outcomes
    where {WITHIN}
    group by 1, 2
    having sum(outcomes) > 0
),
theirs as (
    select
        unit_type as task_type, known_as, count(*) as outcomes, sum(succeeded) as successes, count(cost_usd) as priced,
        {parts("coalesce(tokens_total, 0)", "tokens")}, {parts("nano_usd", "nano_usd")}
    from audited_units
    group by 1, 2
),
cells as (select task_type, known_as from ours union select task_type, known_as from theirs)
select
    cells.task_type, cells.known_as,
    iif(ours.outcomes is null, 'uok', iif(theirs.outcomes is null, 'ours', 'both')),
    coalesce(ours.outcomes, 0), coalesce(theirs.outcomes, 0), coalesce(ours.successes, 0),
    coalesce(theirs.successes, 0), coalesce(ours.timeouts, 0), coalesce(ours.void, 0),
    count_of(
        coalesce(ours.tokens_billions, 0) - coalesce(theirs.tokens_billions, 0),
        coalesce(ours.tokens_rest, 0) - coalesce(theirs.tokens_rest, 0)
    ),
    iif(
        (ours.outcomes is null or ours.priced > 0) and (theirs.outcomes is null or theirs.priced > 0),
        nano_of(
            coalesce(ours.nano_usd_billions, 0) - coalesce(theirs.nano_usd_billions, 0),
            coalesce(ours.nano_usd_rest, 0) - coalesce(theirs.nano_usd_rest, 0)
        ), null
    )
from cells
left join ours on ours.task_type = cells.task_type and ours.known_as = cells.known_as
left join theirs on theirs.task_type = cells.task_type and theirs.known_as = cells.known_as
"""

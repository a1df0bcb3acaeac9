"""SQL that computes the rollups and the counts per task type and model again, from the log, the opening balances and
the seeds."""

from __future__ import annotations

from model_outcomes.care.audit.exact import parts

# The time of an outcome without the digits after its milliseconds: SQLite would round them, even into the next day.
MOMENT = """iif(
    length({0}) > 23 and substr({0}, 20, 1) = '.',
    substr({0}, 1, 23) || case
        when {0} like '%Z' then 'Z'
        when substr({0}, -6, 1) in ('+', '-') then substr({0}, -6)
        else ''
    end,
    {0}
)"""

# The verdict of each corrected outcome in each table: that of the latest correction up to the last one in the table.
VERDICTS = """
create temporary table audited_verdicts as
select
    tables.place,
    log.id,
    coalesce(
        (
            select verdict from outcome_corrections
            where outcome_id = log.id and correction_id <= tables.last_correction_id
            order by correction_id desc limit 1
        ),
        iif(log.success, 'success', 'failure')
    ) as verdict
from audited_places as tables
cross join (select distinct outcome_id from outcome_corrections) as corrected
inner join model_outcomes as log on log.id = corrected.outcome_id
where log.id <= tables.last_outcome_id
"""

# The log at the finest grain of all tables. `mark` is the lowest last id of a table that is not below this id. An
# outcome with corrections is there once for each `place`, a table or several with the same last ids; `verdict` is null
# if it is void. Each cost is rounded to nano-dollars before the sum. '+0 seconds' makes SQLite normalise a day that
# does not exist.
COUNTS = f"""
create temporary table audited_counts as
select
    {{mark}} as mark,
    place,
    date(moment, '+0 seconds') as outcome_date,
    task_type,
    model_id,
    coalesce(agent, '') as agent,
    coalesce(effort, '') as effort,
    coalesce(variant, '') as variant,
    coalesce(error_type, '') as error_type,
    success as recorded,
    verdict,
    count(*) as outcomes,
    count(*) filter (where timeout = 1) as timeouts,
    count(*) filter (where tokens_used <> 0) as metered,
    count(*) filter (where iif(cost_source is null, cost_usd <> 0, cost_source <> 'plan')) as priced,
    {parts("tokens_used", "tokens")},
    sum(1.0 * tokens_used * tokens_used) as tokens_squared,
    {parts("cast(round(own_cost_usd * 1e9) as integer)", "nano_usd")},
    sum(round(own_cost_usd * 1e9) * round(own_cost_usd * 1e9)) / 1e18 as usd_squared,
    min(strftime('%Y-%m-%d %H:%M:%f', moment, '+0 seconds')) as first_used,
    max(strftime('%Y-%m-%d %H:%M:%f', moment, '+0 seconds')) as last_used,
    max(id) as last_id
from (
    select *, {MOMENT.format("timestamp")} as moment, iif(cost_source = 'plan', 0.0, cost_usd) as own_cost_usd
    from (
        select *, null as place, success as verdict from model_outcomes as log
        where not exists (select 1 from outcome_corrections where outcome_id = log.id)
        union all
        select log.*, place, case verdict when 'success' then 1 when 'failure' then 0 end
        from audited_verdicts inner join model_outcomes as log using (id)
    )
)
group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
"""

# The same by the verdict that counts. The first and last time, and the last id, are those of recorded outcomes, so they
# stay with the verdict that was recorded.
CELLS = """
create temporary table audited_cells as
select
    mark, place, outcome_date, task_type, model_id, agent, effort, variant, error_type, verdict as success, outcomes,
    timeouts, metered, priced,
    tokens_billions, tokens_rest, tokens_squared, nano_usd_billions, nano_usd_rest, usd_squared,
    iif(recorded = verdict, first_used, null) as first_used, iif(recorded = verdict, last_used, null) as last_used,
    iif(recorded = verdict, last_id, null) as last_id
from audited_counts
where verdict is not null
union all
select
    mark, place, outcome_date, task_type, model_id, agent, effort, variant, error_type, recorded,
    0, 0, 0, 0, 0, 0, 0.0, 0, 0, 0.0,
    first_used, last_used, last_id
from audited_counts
where recorded is not verdict
"""

WITHIN = "(place = :place or place is null and mark <= :mark)"

ATTRIBUTED = """
create temporary view audited_outcomes as
select
    cells.*,
    coalesce(model_aliases.model_id, cells.model_id) as known_as,
    cells.success = 0 and coalesce(error_types.attribution, '') = 'infrastructure' as is_void
from audited_cells as cells
left join model_aliases on model_aliases.alias = cells.model_id
left join int_error_types as error_types on error_types.error_type = cells.error_type
"""

TOKENS = "exact(sum(tokens_billions), sum(tokens_rest), 1000000000)"
NANO_USD = "exact(sum(nano_usd_billions), sum(nano_usd_rest), 1000000000)"

TOTALS = f"""
select
    task_type, model_id, error_type, success, sum(outcomes), sum(timeouts), sum(metered), sum(priced),
    {TOKENS}, {NANO_USD}, sum(usd_squared), min(first_used), max(last_used), max(last_id)
from audited_cells
where {WITHIN}
group by 1, 2, 3, 4
"""

DAILY = f"""
select
    outcome_date, task_type, model_id, agent, effort, variant, error_type, success, sum(outcomes), sum(timeouts),
    sum(metered), sum(priced), {TOKENS}, sum(tokens_squared), {NANO_USD}, sum(usd_squared), max(last_id)
from audited_cells
where {WITHIN}
group by 1, 2, 3, 4, 5, 6, 7, 8
"""

# One row per task type and model: the expected figures of model_stats, and of the tables that read it.
STATS = f"""
with counted as (
    select
        task_type, known_as as model_id, iif(success, outcomes, 0) as successes, iif(success, 0, outcomes) as failures,
        iif(success, 0, timeouts) as timeouts, iif(success, timeouts, 0) as timed_out_successes,
        iif(is_void, outcomes, 0) as void,
        iif(is_void, nano_usd_billions, 0) as void_billions, iif(is_void, nano_usd_rest, 0) as void_rest,
        iif(is_void, priced, 0) as void_priced,
        iif(is_void, nano_usd_billions > 0 or nano_usd_rest > 0, priced) as all_priced,
        tokens_billions, tokens_rest, nano_usd_billions, nano_usd_rest,
        iif(is_void, 0, metered) as metered, iif(is_void, 0, priced) as priced, first_used, last_used,
        0 as old_successes, 0 as old_failures, 0 as is_old
    from audited_outcomes
    where {WITHIN}
    union all
    select
        balances.task_type, coalesce(model_aliases.model_id, balances.model_id), successes, failures,
        timeouts, 0, 0, 0, 0, 0, total_cost_nano_usd > 0, total_tokens / 1000000000, total_tokens % 1000000000,
        total_cost_nano_usd / 1000000000, total_cost_nano_usd % 1000000000,
        0, 0, null, strftime('%Y-%m-%d %H:%M:%f', {MOMENT.format("last_used")}, '+0 seconds'),
        successes, failures, 1
    from legacy_model_stats as balances
    left join model_aliases on model_aliases.alias = balances.model_id
    where load_id <= :load
)
select
    task_type, model_id, sum(successes) as successes, sum(failures) as failures, sum(timeouts) as timeouts,
    sum(timed_out_successes) as timed_out_successes, sum(void) as infrastructure_failures,
    iif(
        sum(all_priced) > 0 and (sum(void) = 0 or sum(void_priced) > 0),
        nano_of(sum(void_billions), sum(void_rest)), null
    ) as infrastructure_cost,
    sum(successes) + sum(failures) - sum(void) as trials,
    count_of(sum(tokens_billions), sum(tokens_rest)) as total_tokens,
    iif(sum(all_priced) > 0, nano_of(sum(nano_usd_billions), sum(nano_usd_rest)), null) as total_cost,
    sum(metered) as metered_trials,
    sum(priced) as priced_trials, min(first_used) as first_used, max(last_used) as last_used,
    sum(old_successes) as legacy_successes, sum(old_failures) as legacy_failures
from counted
group by 1, 2
having sum(successes) + sum(failures) > 0 or max(is_old)
"""

# The outcomes up to the last day of the next export, minus those in current exports.
UNEXPORTED = f"""
with outcomes as (
    select task_type, model_id, known_as, outcomes, 0 as is_kept
    from audited_outcomes
    where {WITHIN} and outcome_date <= (select max(window_last_day) from federated_export)
    union all
    select task_type, balances.model_id, coalesce(model_aliases.model_id, balances.model_id), successes + failures, 1
    from legacy_model_stats as balances left join model_aliases on model_aliases.alias = balances.model_id
    where load_id <= :load
),
unexported as (
    select
        coalesce((select published_name from federated_names where kind = 'task_type' and name = task_type), task_type)
            as task_type,
        coalesce(
            (select published_name from federated_names where kind = 'model_id' and name = model_id),
            (select published_name from federated_names where kind = 'model_id' and name = known_as), known_as
        ) as model_id,
        outcomes, is_kept
    from outcomes
    union all
    select task_type, model_id, -outcomes, 1
    from federated_export_rows inner join federated_exports using (export_id) where replaced_by is null
)
select task_type, model_id, sum(outcomes) from unexported group by 1, 2 having sum(outcomes) > 0 or max(is_kept)
"""

# The models as in the rankings, without opening balances, because those are no evidence for a demotion.
LOGGED = f"""
select
    task_type, known_as as model_id, sum(iif(is_void, 0, outcomes)) as trials,
    sum(iif(success, outcomes, 0)) as successes
from audited_outcomes
where {WITHIN}
group by 1, 2
"""

# The dbt models choose the candidates; the audit checks their figures against the log.
DEMOTIONS = f"""
with logged as ({LOGGED})
select
    listed.task_type, listed.model_id, own.trials, own.successes,
    iif(listed.is_worse_than_incumbent, incumbents.trials, null),
    iif(listed.is_worse_than_incumbent, incumbents.successes, null)
from demotion_candidates as listed
left join logged as own on own.task_type = listed.task_type and own.model_id = listed.model_id
left join logged as incumbents
    on incumbents.task_type = listed.task_type and incumbents.model_id = listed.incumbent_model_id
"""

RECOMMENDATIONS = f"""
with counted as ({STATS})
select listed.task_type, models.trials, incumbents.trials, alternatives.trials
from recommendations as listed
left join counted as models on models.task_type = listed.task_type and models.model_id = listed.model_id
left join counted as incumbents
    on incumbents.task_type = listed.task_type and incumbents.model_id = listed.incumbent_model_id
left join counted as alternatives
    on alternatives.task_type = listed.task_type and alternatives.model_id = listed.alternative_model_id
"""

AB_TESTS = f"""
with counted as ({STATS})
select listed.task_type, listed.model_id, own.trials, incumbents.trials
from ab_test_candidates as listed
left join counted as own on own.task_type = listed.task_type and own.model_id = listed.model_id
left join counted as incumbents
    on incumbents.task_type = listed.task_type and incumbents.model_id = listed.incumbent_model_id
"""

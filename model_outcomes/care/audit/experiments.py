"""SQL that computes the experiments and the leaders again, from the log, the seeds and the days."""

from __future__ import annotations

from model_outcomes.care.audit.exact import parts
from model_outcomes.care.audit.rollups import MOMENT

# The verdicts up to a correction. SQLite takes the bare column `verdict` from the row of the maximum.
VERDICTS = """(
    select outcome_id, verdict, max(correction_id) from outcome_corrections where correction_id <= :correction
    group by outcome_id
)"""

VOID = """(
    coalesce(verdicts.verdict, '') = 'void' or (
        case when verdicts.verdict is null then log.success = 0 else verdicts.verdict = 'failure' end
        and coalesce(error_types.attribution, '') = 'infrastructure'
    )
)"""

# Every outcome of a declared experiment, up to the last one that the experiment has counted.
TRIALS = f"""
create temporary table audited_trials as
with names as (
    select distinct model_id as name, known_as from audited_outcomes
),
experiments as (
    select
        experiment_id,
        task_type,
        coalesce(old.model_id, incumbent_model_id) as incumbent,
        coalesce(new.model_id, challenger_model_id) as challenger,
        strftime('%Y-%m-%d %H:%M:%f', {MOMENT.format("started_at")}, '+0 seconds') as started_at,
        coalesce(
            strftime('%Y-%m-%d %H:%M:%f', nullif({MOMENT.format("ended_at")}, ''), '+0 seconds'), '9999'
        ) as ended_at,
        (select max(outcome_id) from int_experiment_outcomes as seen
        where seen.experiment_id = ab_experiments.experiment_id) as seen_to
    from ab_experiments
    left join model_aliases as old on old.alias = incumbent_model_id
    left join model_aliases as new on new.alias = challenger_model_id
)
select
    experiments.experiment_id, iif(names.known_as = incumbent, 'incumbent', 'challenger') as arm, log.id,
    log.task_type, log.agent, log.effort, log.variant, log.task_id,
    strftime('%Y-%m-%d %H:%M:%f', log.moment, '+0 seconds') as at, date(log.moment, '+0 seconds') as day,
    log.success as recorded,
    case when verdicts.verdict is null then log.success else verdicts.verdict = 'success' end as success,
    log.tokens_used as tokens,
    iif(log.cost_source = 'plan', 0, cast(round(log.cost_usd * 1e9) as integer)) as nano_usd,
    {VOID} as is_void
from experiments
inner join names on names.known_as in (experiments.incumbent, experiments.challenger)
inner join (select *, {MOMENT.format("timestamp")} as moment from model_outcomes) as log on log.model_id = names.name
left join int_error_types as error_types on error_types.error_type = log.error_type
left join {VERDICTS} as verdicts on verdicts.outcome_id = log.id
where log.id <= experiments.seen_to
and (coalesce(experiments.task_type, '') = '' or experiments.task_type = log.task_type)
and case
    when log.experiment_id is not null then log.experiment_id = experiments.experiment_id
    else strftime('%Y-%m-%d %H:%M:%f', log.moment, '+0 seconds') >= experiments.started_at
        and strftime('%Y-%m-%d %H:%M:%f', log.moment, '+0 seconds') < experiments.ended_at
end
"""

OUTCOMES = f"""
select
    experiment_id, arm, outcomes, successes, exact(tokens_billions, tokens_rest, 1000000000),
    exact(nano_usd_billions, nano_usd_rest, 1000000000)
from (
    select
        experiment_id, arm, count(*) as outcomes, sum(recorded) as successes, {parts("tokens", "tokens")},
        {parts("nano_usd", "nano_usd")}
    from audited_trials
    group by 1, 2
)
"""

# The figures of each comparison by day. The dbt models choose which leaders are compared.
COMPARED_DAYS = """
create temporary table audited_comparisons as
select experiment_id, day, arm, count(*) as trials, sum(success) as wins
from audited_trials
where not is_void
group by 1, 2, 3
union all
select
    experiment_id, outcome_date, iif(days.model_id = challenger_model_id, 'challenger', 'incumbent'), trials, successes
from ab_comparisons as leaders
inner join audited_days as days
    on days.task_type = leaders.task_type and days.model_id in (incumbent_model_id, challenger_model_id)
where is_declared = 0 and trials > 0
"""

BY_COMPARISON = "create index temp.audited_comparisons_key on audited_comparisons (experiment_id, day)"

# The tries of tasks by each leader and its incumbent. The dbt models choose which leaders are compared.
LEADER_TRIES = f"""
create temporary table audited_leader_tries as
with names as (
    select distinct model_id as name, known_as from audited_outcomes
)
select
    leaders.experiment_id, iif(names.known_as = challenger_model_id, 'challenger', 'incumbent') as arm, log.id,
    log.task_type, log.agent, log.effort, log.variant, log.task_id,
    strftime('%Y-%m-%d %H:%M:%f', log.moment, '+0 seconds') as at, date(log.moment, '+0 seconds') as day,
    case when verdicts.verdict is null then log.success else verdicts.verdict = 'success' end as success,
    {VOID} as is_void
from ab_comparisons as leaders
inner join names on names.known_as in (leaders.incumbent_model_id, leaders.challenger_model_id)
inner join (select *, {MOMENT.format("timestamp")} as moment from model_outcomes) as log
    on log.model_id = names.name and log.task_type = leaders.task_type
left join int_error_types as error_types on error_types.error_type = log.error_type
left join {VERDICTS} as verdicts on verdicts.outcome_id = log.id
where leaders.is_declared = 0 and log.task_id is not null
and log.id <= (select max(outcome_id) from int_task_outcomes)
"""

# A task is a pair if both arms have tried it under one agent, effort and variant. The first try of each counts.
PAIRS = """
create temporary table audited_pairs as
with tries as (
    select experiment_id, task_type, agent, effort, variant, task_id, arm, at, id, day, success
    from audited_trials
    where task_id is not null and not is_void
    union all
    select experiment_id, task_type, agent, effort, variant, task_id, arm, at, id, day, success
    from audited_leader_tries
    where not is_void
),
numbered as (
    select
        experiment_id, task_type, coalesce(agent, '') as agent, coalesce(effort, '') as effort,
        coalesce(variant, '') as variant, task_id, arm, day, success,
        row_number() over (
            partition by experiment_id, task_type, agent, effort, variant, task_id, arm order by at, id
        ) as try
    from tries
)
select old.experiment_id, max(old.day, new.day) as day, old.success as old, new.success as new
from numbered as old
inner join numbered as new using (experiment_id, task_type, agent, effort, variant, task_id)
where old.arm = 'incumbent' and new.arm = 'challenger' and old.try = 1 and new.try = 1
"""

COUNTED = "select count(*), coalesce(sum(success), 0) from audited_trials where not is_void"

COMPARED = """
select
    coalesce(sum(incumbent_trials + challenger_trials), 0), coalesce(sum(incumbent_wins + challenger_wins), 0)
from ab_comparisons where is_declared = 1
"""

_COUNTED = """
    coalesce(sum(trials) filter (where arm = 'incumbent'), 0), coalesce(sum(wins) filter (where arm = 'incumbent'), 0),
    coalesce(sum(trials) filter (where arm = 'challenger'), 0), coalesce(sum(wins) filter (where arm = 'challenger'), 0)
"""

_PAIRED = """
    (select sum(old and new) from audited_pairs as pairs where {where}),
    (select sum(old and not new) from audited_pairs as pairs where {where}),
    (select sum(new and not old) from audited_pairs as pairs where {where}),
    (select sum(not old and not new) from audited_pairs as pairs where {where})
"""

COMPARISONS = f"""
select experiment_id, {_COUNTED}, {_PAIRED.format(where="pairs.experiment_id = ab_comparisons.experiment_id")}
from ab_comparisons
left join audited_comparisons using (experiment_id)
group by 1
"""

# Only days that were over at the build.
COMPARISON_DAYS = f"""
with days as (
    select distinct experiment_id, day from audited_comparisons
    where day <= (select max(outcome_date) from ab_comparison_days)
)
select
    days.experiment_id, days.day, {_COUNTED},
    {_PAIRED.format(where="pairs.experiment_id = days.experiment_id and pairs.day <= days.day")}
from days
inner join audited_comparisons as so_far on so_far.experiment_id = days.experiment_id and so_far.day <= days.day
group by 1, 2
"""

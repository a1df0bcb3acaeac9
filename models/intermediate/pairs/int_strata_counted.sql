{%- set definition = 'rolled_up.definition = (select settings.definition from ' ~ ref('int_pair_settings')
    ~ ' as settings)' -%}
{%- set counted_outcomes = rolled_up_to('last_outcome_id', where=definition) -%}
{%- set counted_corrections = rolled_up_to('last_correction_id', where=definition) -%}
with days as (

    select * from {{ ref('int_outcomes_daily') }}

),

task_trials as (

    select * from {{ ref('int_task_trials') }}

),

aliases as (

    select * from {{ ref('model_aliases') }}

),

attributions as (

    select * from {{ ref('int_error_types') }}

),

-- A block with a new outcome or correction is counted again as a whole: its sums are those of a full refresh.
changed_months as (

    select
        changed_days.task_type,
        substr(changed_days.outcome_date, 1, 7) as block
    from {{ ref('int_outcomes_daily') }} as changed_days
    where {{ is_newer(counted_outcomes, 'last_outcome_id') }}
    union
    select
        changed_days.task_type,
        substr(changed_days.outcome_date, 1, 7) as block
    from {{ ref('int_outcomes_daily') }} as changed_days
    where {{ is_newer(counted_corrections, 'last_correction_id') }}

),

new_corrections as (

    select * from {{ ref('stg_outcome_corrections') }}
    where {{ is_newer(counted_corrections, 'correction_id') }}

),

changed_task_blocks as (

    select
        new_outcomes.task_type,
        new_outcomes.task_block
    from {{ ref('int_task_outcomes') }} as new_outcomes
    where new_outcomes.is_checkpoint = 0 and {{ is_newer(counted_outcomes) }}
    union
    select
        outcomes.task_type,
        outcomes.task_block
    from new_corrections
    inner join {{ ref('int_task_outcomes') }} as outcomes on new_corrections.outcome_id = outcomes.outcome_id
    where outcomes.is_checkpoint = 0

),

attributed_days as (

    select
        days.task_type,
        changed_months.block,
        days.outcome_date as stratum,
        coalesce(aliases.model_id, days.model_id) as model_id,
        days.agent,
        days.effort,
        days.variant,
        case
            when days.is_success = 0 and attributions.attribution = 'infrastructure' then 0
            else days.outcomes
        end as trials,
        days.is_success * days.outcomes as successes
    from days
    inner join changed_months
        on days.task_type = changed_months.task_type and substr(days.outcome_date, 1, 7) = changed_months.block
    left join aliases on days.model_id = aliases.alias
    left join attributions on days.error_type = attributions.error_type

),

changed_trials as (

    select
        task_trials.*,
        cast(task_trials.task_block as {{ text_type() }}) as block,
        row_number() over (
            partition by
                task_trials.task_type, task_trials.task_id,
                task_trials.model_id, task_trials.agent, task_trials.effort, task_trials.variant
            order by task_trials.occurred_at, task_trials.outcome_id
        ) as try_number
    from task_trials
    inner join changed_task_blocks
        on
            task_trials.task_block = changed_task_blocks.task_block
            and task_trials.task_type = changed_task_blocks.task_type

),

cells as (

    select
        task_type,
        'day' as stratum_kind,
        block,
        stratum,
        model_id,
        agent,
        effort,
        variant,
        sum(trials) as trials,
        sum(successes) as successes,
        cast(null as bigint) as has_first_success
    from attributed_days
    group by task_type, block, stratum, model_id, agent, effort, variant
    having sum(trials) > 0
    union all
    select
        task_type,
        'task' as stratum_kind,
        block,
        task_id as stratum,
        model_id,
        agent,
        effort,
        variant,
        count(*) as trials,
        sum(is_success) as successes,
        max(case when try_number = 1 then is_success end) as has_first_success
    from changed_trials
    group by task_type, block, task_id, model_id, agent, effort, variant

),

weighed_cells as (

    select
        *,
        sum(trials) over (
            partition by task_type, stratum_kind, block, model_id, agent, effort, variant
        ) as configuration_trials
    from cells

),

-- The numbers are short keys of the configurations of a block, in the order of their names.
numbered_cells as (

    select
        *,
        dense_rank() over (
            partition by task_type, stratum_kind, block
            order by model_id, agent, effort, variant
        ) as configuration_number,
        dense_rank() over (
            partition by task_type, stratum_kind, block
            order by configuration_trials desc, model_id, agent, effort, variant
        ) as place
    from weighed_cells

),

changed_blocks as (

    select
        task_type,
        'day' as stratum_kind,
        block
    from changed_months
    union all
    select
        task_type,
        'task' as stratum_kind,
        cast(task_block as {{ text_type() }}) as block
    from changed_task_blocks
    union all
    -- Each new outcome and correction changes a month. Without a change nothing is written.
    select distinct
        '' as task_type,
        'checkpoint' as stratum_kind,
        '' as block
    from changed_months

),

marks as (

    select
        {{ at_most(
            '(select coalesce(max(days.last_outcome_id), 0) from ' ~ ref('int_outcomes_daily') ~ ' as days)',
            '(select coalesce(max(outcomes.outcome_id), 0) from ' ~ ref('int_task_outcomes') ~ ' as outcomes)'
        ) }} as last_outcome_id,
        (select coalesce(max(days.last_correction_id), 0) from {{ ref('int_outcomes_daily') }} as days)
            as last_correction_id,
        settings.definition
    from {{ ref('int_pair_settings') }} as settings

),

counted as (

    select
        task_type,
        stratum_kind,
        block,
        stratum,
        model_id,
        agent,
        effort,
        variant,
        configuration_number,
        place,
        trials,
        successes,
        has_first_success,
        cast(null as {{ text_type() }}) as definition,
        cast(null as bigint) as last_outcome_id,
        cast(null as bigint) as last_correction_id
    from numbered_cells
    union all
    -- Each changed block has one row without trials, so that its old rows are replaced even if no trial is left.
    select
        changed_blocks.task_type,
        changed_blocks.stratum_kind,
        changed_blocks.block,
        '' as stratum,
        '' as model_id,
        '' as agent,
        '' as effort,
        '' as variant,
        0 as configuration_number,
        0 as place,
        0 as trials,
        0 as successes,
        cast(null as bigint) as has_first_success,
        case when changed_blocks.stratum_kind = 'checkpoint' then marks.definition end as definition,
        marks.last_outcome_id,
        marks.last_correction_id
    from changed_blocks
    cross join marks

)

select * from counted

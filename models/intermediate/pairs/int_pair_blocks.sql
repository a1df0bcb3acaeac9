{%- set definition = 'rolled_up.definition = (select settings.definition from ' ~ ref('int_pair_settings')
    ~ ' as settings)' -%}
{%- set same_block = 'rolled_up.task_type = counted_blocks.task_type'
    ' and rolled_up.stratum_kind = counted_blocks.stratum_kind'
    ' and rolled_up.block = counted_blocks.block and rolled_up.strata = 0' -%}
with counted_blocks as (

    select * from {{ ref('int_strata_counted') }}
    where configuration_number = 0

),

-- A block is paired again if its strata were counted again since.
changed_blocks as (

    select
        counted_blocks.*,
        row_number() over (
            order by counted_blocks.task_type, counted_blocks.stratum_kind, counted_blocks.block
        ) as block_number
    from counted_blocks
    where
        {{ rolled_up_to('last_outcome_id', where=same_block) }} < counted_blocks.last_outcome_id
        or {{ rolled_up_to('last_correction_id', where=same_block) }} < counted_blocks.last_correction_id
        or {{ rolled_up_to('last_outcome_id', where=definition) }} = 0

),

-- The number of pairs has no limit if every run uses a new model name. SQLite copies a CTE that is read twice, and a
-- copy lacks the table's index: so the table is read three times.
cells as (

    select * from {{ ref('int_strata_counted') }}
    where configuration_number > 0 and place <= {{ var('max_paired_configurations') }}

),

other_cells as (

    select * from {{ ref('int_strata_counted') }}
    where configuration_number > 0 and place <= {{ var('max_paired_configurations') }}

),

named_cells as (

    select * from {{ ref('int_strata_counted') }}
    where configuration_number > 0 and place <= {{ var('max_paired_configurations') }}

),

paired as (

    select
        changed_blocks.block_number,
        cells.configuration_number,
        other_cells.configuration_number as other_configuration_number,
        cells.trials,
        cells.successes,
        other_cells.trials as other_trials,
        other_cells.successes as other_successes,
        {{ ratio('cells.successes', 'cells.trials') }} as success_rate,
        {{ ratio('other_cells.successes', 'other_cells.trials') }} as other_success_rate,
        {{ stratum_weight('cells.trials', 'other_cells.trials') }} as total_weight,
        {{ stratum_variance('cells.successes', 'cells.trials', 'other_cells.successes', 'other_cells.trials') }}
            as variance,
        cells.has_first_success,
        other_cells.has_first_success as other_has_first_success
    from changed_blocks
    inner join cells
        on
            changed_blocks.task_type = cells.task_type
            and changed_blocks.stratum_kind = cells.stratum_kind
            and changed_blocks.block = cells.block
    inner join other_cells
        on
            cells.task_type = other_cells.task_type
            and cells.stratum_kind = other_cells.stratum_kind
            and cells.block = other_cells.block
            and cells.stratum = other_cells.stratum
            -- A configuration with itself tells how many strata it has.
            and cells.configuration_number <= other_cells.configuration_number

),

summed as (

    select
        block_number,
        configuration_number,
        other_configuration_number,
        count(*) as strata,
        sum(trials) as trials,
        sum(successes) as successes,
        sum(other_trials) as other_trials,
        sum(other_successes) as other_successes,
        sum(total_weight) as total_weight,
        sum(total_weight * (other_success_rate - success_rate)) as weighted_difference,
        sum(variance) as variance,
        sum(total_weight * total_weight) as squared_weights,
        sum(total_weight * total_weight * (other_success_rate - success_rate)) as signed_differences,
        sum(
            total_weight * total_weight * (other_success_rate - success_rate) * (other_success_rate - success_rate)
        ) as squared_differences,
        sum(success_rate * (1 - other_success_rate)) as only_share,
        sum(other_success_rate * (1 - success_rate)) as only_other_share,
        sum(has_first_success * other_has_first_success) as both_succeeded,
        sum(has_first_success * (1 - other_has_first_success)) as only_model_succeeded,
        sum((1 - has_first_success) * other_has_first_success) as only_other_succeeded,
        sum((1 - has_first_success) * (1 - other_has_first_success)) as neither_succeeded
    from paired
    group by block_number, configuration_number, other_configuration_number

),

configurations as (

    select distinct
        changed_blocks.block_number,
        named_cells.configuration_number,
        named_cells.task_type,
        named_cells.stratum_kind,
        named_cells.block,
        named_cells.model_id,
        named_cells.agent,
        named_cells.effort,
        named_cells.variant
    from changed_blocks
    inner join named_cells
        on
            changed_blocks.task_type = named_cells.task_type
            and changed_blocks.stratum_kind = named_cells.stratum_kind
            and changed_blocks.block = named_cells.block

),

blocks as (

    select
        configurations.task_type,
        configurations.stratum_kind,
        configurations.block,
        configurations.model_id,
        configurations.agent,
        configurations.effort,
        configurations.variant,
        other_configurations.model_id as other_model_id,
        other_configurations.agent as other_agent,
        other_configurations.effort as other_effort,
        other_configurations.variant as other_variant,
        summed.strata,
        summed.trials,
        summed.successes,
        summed.other_trials,
        summed.other_successes,
        summed.total_weight,
        summed.weighted_difference,
        summed.variance,
        summed.squared_weights,
        summed.signed_differences,
        summed.squared_differences,
        summed.only_share,
        summed.only_other_share,
        summed.both_succeeded,
        summed.only_model_succeeded,
        summed.only_other_succeeded,
        summed.neither_succeeded,
        cast(null as {{ text_type() }}) as definition,
        cast(null as bigint) as last_outcome_id,
        cast(null as bigint) as last_correction_id
    from summed
    inner join configurations
        on
            summed.block_number = configurations.block_number
            and summed.configuration_number = configurations.configuration_number
    inner join configurations as other_configurations
        on
            summed.block_number = other_configurations.block_number
            and summed.other_configuration_number = other_configurations.configuration_number
    union all
    -- Each changed block has one row without a pair, so that its old rows are replaced even if no pair is left.
    select
        changed_blocks.task_type,
        changed_blocks.stratum_kind,
        changed_blocks.block,
        '' as model_id,
        '' as agent,
        '' as effort,
        '' as variant,
        '' as other_model_id,
        '' as other_agent,
        '' as other_effort,
        '' as other_variant,
        0 as strata,
        0 as trials,
        0 as successes,
        0 as other_trials,
        0 as other_successes,
        0e0 as total_weight,
        0e0 as weighted_difference,
        0e0 as variance,
        0e0 as squared_weights,
        0e0 as signed_differences,
        0e0 as squared_differences,
        0e0 as only_share,
        0e0 as only_other_share,
        0 as both_succeeded,
        0 as only_model_succeeded,
        0 as only_other_succeeded,
        0 as neither_succeeded,
        changed_blocks.definition,
        changed_blocks.last_outcome_id,
        changed_blocks.last_correction_id
    from changed_blocks

)

select * from blocks

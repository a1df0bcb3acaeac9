with current_incumbents as (

    select * from {{ ref('int_incumbents') }}

),

pairs as (

    select * from {{ ref('int_pairs_compared') }}
    where verdict in ('challenger_better', 'incumbent_better', 'no_verdict_yet')

),

compared as (

    select
        pairs.task_type,
        pairs.rival_model_id as model_id,
        pairs.rival_logged_successes as successes,
        pairs.rival_logged_trials as trials,
        pairs.model_id as incumbent_model_id,
        pairs.logged_successes as incumbent_successes,
        pairs.logged_trials as incumbent_trials,
        pairs.strata,
        pairs.strata_name,
        pairs.naive_difference,
        pairs.is_confounded,
        pairs.difference,
        pairs.squared_error,
        pairs.trials + pairs.rival_trials as shared_trials
    from pairs
    inner join current_incumbents
        on pairs.task_type = current_incumbents.task_type and pairs.model_id = current_incumbents.model_id

),

weighed as (

    select
        *,
        coalesce({{ demotion_e_value('difference', 'squared_error', 'shared_trials') }}, 0e0) as e_value
    from compared

),

ranked as (

    select
        *,
        {{ anytime_p_value('e_value') }} as anytime_p_value,
        count(*) over (partition by task_type) as comparisons,
        row_number() over (partition by task_type order by e_value desc, model_id) as e_value_rank
    from weighed

),

judged as (

    select
        *,
        {{ benjamini_hochberg('anytime_p_value', 'e_value_rank', 'comparisons', 'task_type') }}
            as benjamini_hochberg_p_value,
        {{ holm('anytime_p_value', 'e_value_rank', 'comparisons', 'task_type') }} as holm_p_value,
        {{ is_selected_by_e_bh('e_value', 'e_value_rank', 'comparisons', 'task_type') }} as is_selected,
        'worse_than_incumbent: ' || {{ points('difference') }} || ' points below ' || incumbent_model_id
        || coalesce(' over ' || strata || ' shared ' || strata_name, '') as reason
    from ranked

),

selected as (

    select * from judged
    where is_selected = 1

)

select * from selected

with ordered as (

    select * from {{ ref('int_rank_days_ordered') }}

),

paired as (

    select
        *,
        {{ ratio('leader_successes', 'leader_trials') }} - success_rate as difference,
        {{ sequential_half_width(
            sequential_squared_error('successes', 'trials', 'leader_successes', 'leader_trials'),
            'trials + leader_trials',
            alpha=var('alpha') ~ ' / nullif(eligible_models - 1, 0)'
        ) }} as half_width
    from ordered

),

-- As in int_models_paired and int_models_separated: the model has the role of the incumbent, and the leader that of the
-- challenger.
judged as (

    select
        task_type,
        outcome_date,
        model_id,
        rank,
        trials,
        success_rate,
        success_rate_lower,
        leader_model_id,
        case
            when rank = 1 then 1
            when
                {{ verdict('trials', 'leader_trials', 'difference - half_width', 'difference + half_width') }}
                = 'challenger_better' then 0
            else 1
        end as is_tied
    from paired

)

select * from judged

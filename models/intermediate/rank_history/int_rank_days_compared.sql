with days as (

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
    from days

),

-- As in int_models_separated: the model has the role of the incumbent, and the leader that of the challenger.
tied as (

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

),

-- A model that is eligible stays eligible: its days are consecutive days of its task type.
followed as (

    select
        *,
        coalesce(lag(is_tied) over (partition by task_type, model_id order by outcome_date), 0) as was_tied,
        lag(leader_model_id) over (partition by task_type, model_id order by outcome_date) as leader_before
    from tied

),

-- A model that is new on that day has no previous leader; the other models have one.
compared as (

    select
        *,
        max(leader_before) over of_the_day as previous_leader_model_id,
        sum(is_tied) over of_the_day as tied_models,
        max(case when is_tied <> was_tied then 1 else 0 end) over of_the_day as is_new_tied_set
    from followed
    window of_the_day as (partition by task_type, outcome_date)

)

select * from compared

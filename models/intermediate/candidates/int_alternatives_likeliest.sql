with candidates as (

    select * from {{ ref('ab_test_candidates') }}
    where is_too_little_tried = 0

),

rankings as (

    select * from {{ ref('model_rankings') }}

),

leader_comparisons as (

    select * from {{ ref('ab_comparisons') }}
    where is_declared = 0

),

-- Differences below a thousandth do not count, because engines round in different ways.
ordered as (

    select
        *,
        row_number() over (partition by task_type order by floor(1000 * probability_best) desc, rank) as place
    from candidates

)

select
    ordered.task_type,
    ordered.model_id as likely_model_id,
    rankings.trials as likely_trials,
    rankings.successes as likely_successes,
    ordered.difference as likely_difference,
    ordered.e_value as likely_e_value,
    -- For the leader, the number of further trials comes from its comparison with the incumbent.
    case
        when leader_comparisons.experiment_id is null then ordered.trials_to_separate
        else leader_comparisons.trials_to_separate
    end as likely_trials_to_separate
from ordered
inner join rankings on ordered.task_type = rankings.task_type and ordered.model_id = rankings.model_id
left join leader_comparisons
    on
        ordered.task_type = leader_comparisons.task_type
        and ordered.model_id = leader_comparisons.challenger_model_id
where ordered.place = 1

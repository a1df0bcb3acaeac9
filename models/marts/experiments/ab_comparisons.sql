with experiments as (

    select * from {{ ref('stg_ab_experiments') }}

),

totals as (

    select * from {{ ref('int_experiment_totals') }}

),

compared as (

    select
        experiments.experiment_id,
        experiments.task_type,
        incumbents.model_id as incumbent_model_id,
        challengers.model_id as challenger_model_id,
        experiments.started_at,
        experiments.ended_at,
        incumbents.trials as incumbent_trials,
        incumbents.wins as incumbent_wins,
        incumbents.success_rate as incumbent_success_rate,
        incumbents.avg_tokens as incumbent_avg_tokens,
        incumbents.avg_cost as incumbent_avg_cost,
        challengers.trials as challenger_trials,
        challengers.wins as challenger_wins,
        challengers.success_rate as challenger_success_rate,
        challengers.avg_tokens as challenger_avg_tokens,
        challengers.avg_cost as challenger_avg_cost,
        challengers.success_rate - incumbents.success_rate as difference,
        {{ newcombe_lower(
            'incumbents.success_rate', 'incumbents.success_rate_upper',
            'challengers.success_rate', 'challengers.success_rate_lower'
        ) }} as newcombe_lower,
        {{ newcombe_upper(
            'incumbents.success_rate', 'incumbents.success_rate_lower',
            'challengers.success_rate', 'challengers.success_rate_upper'
        ) }} as newcombe_upper
    from experiments
    inner join totals as incumbents
        on experiments.experiment_id = incumbents.experiment_id and incumbents.arm = 'incumbent'
    inner join totals as challengers
        on experiments.experiment_id = challengers.experiment_id and challengers.arm = 'challenger'

)

select * from compared

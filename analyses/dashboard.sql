-- Every model of every task type, the best first: success rate, its interval, and cost.
select
    task_type,
    rank,
    model_id,
    trials,
    success_rate,
    success_rate_lower,
    success_rate_upper,
    infrastructure_failures,
    lost_share,
    cost_per_success,
    total_cost,
    last_used
from {{ ref('model_rankings') }}
where is_eligible = 1
order by task_type, rank

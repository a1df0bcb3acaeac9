-- The cells with at least 10 outcomes, the best first: enough data to share with others.
select
    task_type,
    model_id,
    successes,
    failures,
    success_rate,
    success_rate_lower,
    total_cost
from {{ ref('model_stats') }}
where successes + failures >= 10
order by success_rate_lower desc, trials desc, task_type, model_id

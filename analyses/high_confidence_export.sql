-- The cells with enough outcomes for high confidence, the best first: what is worth telling others.
select
    task_type,
    model_id,
    successes,
    failures,
    success_rate,
    success_rate_lower,
    total_cost
from {{ ref('model_stats') }}
where successes + failures >= {{ var('high_confidence_trials') }}
order by success_rate_lower desc, trials desc, task_type, model_id

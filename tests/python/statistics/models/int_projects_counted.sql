select
    row_id as project,
    task_type,
    'able' as model_id,
    trials,
    successes,
    noise_variance,
    null as metered_trials,
    null as metered_tokens,
    null as priced_trials,
    null as priced_successes,
    null as priced_cost_usd,
    null as cost_usd_squared,
    null as success_cost_usd
from inputs

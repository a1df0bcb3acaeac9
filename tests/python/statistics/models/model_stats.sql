select
    null as task_type,
    null as model_id,
    null as trials,
    null as successes,
    null as success_rate,
    null as success_rate_lower,
    null as success_rate_upper
from inputs

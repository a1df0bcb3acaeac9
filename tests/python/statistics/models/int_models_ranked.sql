select
    task_type,
    row_id as model_id,
    successes,
    trials,
    {{ ratio('successes', 'trials') }} as success_rate,
    1 as is_eligible
from inputs

select
    cell as task_type,
    'able' as model_id,
    '' as agent,
    '' as effort,
    '' as variant,
    tries,
    successes,
    tasks
from inputs

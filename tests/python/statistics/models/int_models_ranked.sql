select
    task_type,
    row_id as model_id,
    successes,
    trials,
    {{ ratio('successes', 'trials') }} as success_rate,
    {{ wilson_upper('successes', 'trials') }} as success_rate_upper,
    row_number() over (partition by task_type order by {{ wilson_lower('successes', 'trials') }} desc, row_id) as rank,
    count(*) over (partition by task_type) as eligible_models,
    1 as is_eligible,
    0 as is_retired
from inputs

select *
from {{ ref('model_repeats') }}
order by task_type

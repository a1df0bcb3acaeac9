select
    pooled.*,
    stats.pooled_success_rate_lower,
    stats.pooled_success_rate_upper,
    stats.new_project_success_rate_lower,
    stats.new_project_success_rate_upper,
    stats.prior_strength
from {{ ref('int_projects_pooled') }} as pooled
inner join {{ ref('federated_model_stats') }} as stats on pooled.task_type = stats.task_type
order by pooled.task_type

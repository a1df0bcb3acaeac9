with worded as (

    select * from {{ ref('int_recommendations_worded') }}

),

rankings as (

    select * from {{ ref('model_rankings') }}

)

select
    worded.task_type,
    worded.action,
    worded.model_id,
    worded.incumbent_model_id,
    worded.alternative_model_id,
    alternatives.probability_best as alternative_probability_best,
    alternatives.trials as alternative_trials,
    worded.why || case
        when worded.action = 'keep' and worded.too_little_tried_models > 0
            then '; models with too few trials to tell: ' || worded.too_little_tried_models
        else ''
    end as reason,
    worded.reason_code,
    worded.is_named_incumbent,
    models.trials as model_trials, models.success_rate as model_success_rate,
    models.success_rate_lower as model_success_rate_lower, models.success_rate_upper as model_success_rate_upper,
    models.probability_best as model_probability_best, models.cost_per_success as model_cost_per_success,
    incumbents.trials as incumbent_trials,
    incumbents.success_rate as incumbent_success_rate,
    incumbents.success_rate_lower as incumbent_success_rate_lower,
    incumbents.success_rate_upper as incumbent_success_rate_upper,
    incumbents.cost_per_success as incumbent_cost_per_success,
    alternatives.success_rate as alternative_success_rate,
    alternatives.success_rate_lower as alternative_success_rate_lower,
    alternatives.success_rate_upper as alternative_success_rate_upper,
    alternatives.cost_per_success as alternative_cost_per_success,
    case worded.action when 'replace' then worded.decided_difference when 'try' then worded.likely_difference end
        as difference,
    case worded.action when 'replace' then worded.decided_difference_lower end as difference_lower,
    case worded.action when 'replace' then worded.decided_difference_upper end as difference_upper,
    case worded.action when 'replace' then worded.decided_e_value when 'try' then worded.likely_e_value end as e_value,
    case worded.action when 'replace' then worded.first_decided_at end as first_decided_at,
    case worded.action when 'try' then worded.likely_trials_to_separate end as trials_to_separate,
    worded.likely_alternatives,
    worded.too_little_tried_models
from worded
left join rankings as models on worded.task_type = models.task_type and worded.model_id = models.model_id
left join rankings as incumbents
    on worded.task_type = incumbents.task_type and worded.incumbent_model_id = incumbents.model_id
left join rankings as alternatives
    on worded.task_type = alternatives.task_type and worded.alternative_model_id = alternatives.model_id

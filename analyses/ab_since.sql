-- The experiments that began at or after a time (here the first day of the year), challenger against incumbent.
select
    experiment_id,
    incumbent_model_id,
    incumbent_trials,
    incumbent_success_rate,
    challenger_model_id,
    challenger_trials,
    challenger_success_rate,
    difference,
    difference_lower,
    difference_upper,
    verdict,
    first_decided_at,
    trials_to_separate
from {{ ref('ab_comparisons') }}
where started_at >= '2026-01-01'
order by started_at, experiment_id

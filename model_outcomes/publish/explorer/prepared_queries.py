"""Prepared queries for the most frequent questions of analysts. An empty parameter leaves out its filter."""

from __future__ import annotations

Query = dict[str, str]

PREPARED: dict[str, Query] = {
    "dashboard": {
        "title": "Ranking: all models of each task type, the best first",
        "description": "Success rates with intervals, and costs. Parameter task_type: only this task type.",
        "sql": """select
    task_type,
    rank,
    model_id,
    trials,
    success_rate,
    success_rate_lower,
    success_rate_upper,
    infrastructure_failures,
    lost_share,
    cost_per_success,
    total_cost,
    last_used
from model_rankings
where
    is_eligible = 1
    and (:task_type = '' or task_type = :task_type)
order by task_type, rank""",
    },
    "trend_30_days": {
        "title": "Trend: the last 30 days by day",
        "description": "Up to the last day with an outcome. Parameters task_type and model_id: only these.",
        "sql": """select
    outcome_date,
    task_type,
    model_id,
    trials,
    successes,
    success_rate,
    total_cost
from model_daily_trends
where
    outcome_date > (
        select date(max(outcome_date), '-30 days') from model_daily_trends where outcome_date <= date('now', '+1 day')
    )
    and (:task_type = '' or task_type = :task_type)
    and (:model_id = '' or model_id = :model_id)
order by task_type, model_id, outcome_date""",
    },
    "ab_since": {
        "title": "Experiments: challenger against incumbent, by start",
        "description": "Parameter since: only experiments that started on this day (UTC) or later, such as 2026-01-01.",
        "sql": """select
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
from ab_comparisons
where :since = '' or started_at >= :since
order by started_at, experiment_id""",
    },
    "high_confidence_export": {
        "title": "Export: task types and models with enough outcomes for high confidence, the best first",
        "description": "Figures that are worth sharing. The links below give them as CSV and JSON.",
        "sql": """select
    task_type,
    model_id,
    successes,
    failures,
    success_rate,
    success_rate_lower,
    total_cost
from model_stats
where successes + failures >= (select numeric_value from build_settings where name = 'high_confidence_trials')
order by success_rate_lower desc, trials desc, task_type, model_id""",
    },
}

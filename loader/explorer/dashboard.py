"""The dashboard page: what it asks, and how the answers are drawn.

The plugin's tables put what they get into the page as markup, so every text in one goes through `as_html`;
charts draw text as text.
"""

from __future__ import annotations

from typing import Any

DATABASE = "model_outcomes"

Chart = dict[str, Any]

# In a chart of all task types a model's name alone would stand for several rows.
NAME = "case when :task_type = '' then as_text(task_type) || ' · ' else '' end || as_text(model_id) as name"
ORANGE, BLUE = "#d55e00", "#0072b2"  # told apart by the colour-blind, too (Okabe and Ito)
RATE = {"format": ".0%"}
STANDINGS = ["may be the best", "surely behind"]


def page(most_used: str | None) -> dict[str, Any]:
    """The dashboard as its plugin is told of it, opening with the task type that is used most."""
    return {
        "title": "Model outcomes",
        "description": "Which model is best at a task type, how sure that is, what a success costs, what changes.",
        "layout": [
            ["ranking", "ranking", "cost"],
            ["days", "days", "days"],
            ["candidates", "candidates", "candidates"],
            ["experiments", "experiments", "experiments"],
        ],
        "filters": {
            "task_type": {
                "name": "Task type (empty: all)",
                "type": "select",
                "db": DATABASE,
                "query": "select distinct task_type from model_rankings order by task_type",
                **({"default": most_used} if most_used else {}),
            },
            "days": {"name": "Days", "type": "number", "min": 1, "step": 1, "default": 60},
        },
        "charts": {
            "ranking": _ranking(),
            "cost": _cost(),
            "days": _days(),
            "candidates": _candidates(),
            "experiments": _experiments(),
        },
    }


def _ranking() -> Chart:
    return _chart(
        "Success rate with its 95 % interval, the best first",
        f"""select {NAME}, rank, trials, success_rate, success_rate_lower, success_rate_upper,
            case is_tied_with_leader when 1 then 'may be the best' else 'surely behind' end as standing
        from model_rankings
        where is_eligible = 1 and (:task_type = '' or task_type = :task_type)
        order by task_type, rank""",
        {
            "encoding": {"y": {**_nominal("name"), "sort": None, "axis": {"labelLimit": 260}}},
            "layer": [
                {
                    "mark": {"type": "rule", "strokeWidth": 2},
                    "encoding": {
                        "x": _quantity("success_rate_lower", "success rate", axis=RATE, scale={"zero": False}),
                        "x2": {"field": "success_rate_upper"},
                        "color": _standing(),
                    },
                },
                {
                    "mark": {"type": "point", "filled": True, "size": 90},
                    "encoding": {
                        "x": _quantity("success_rate", "success rate", axis=RATE),
                        "color": _standing(),
                        "shape": {**_nominal("standing"), "scale": {"domain": STANDINGS}},
                        "tooltip": _told("name", "rank", "trials", "success_rate", "success_rate_lower",
                                         "success_rate_upper", "standing"),
                    },
                },
            ],
        },
    )  # fmt: skip


def _cost() -> Chart:
    return _chart(
        "Cost per success against success rate",
        f"""select {NAME}, trials, success_rate, cost_per_success, cost_per_success_lower, cost_per_success_upper
        from model_rankings
        where is_eligible = 1 and cost_per_success is not null and (:task_type = '' or task_type = :task_type)""",
        {
            "encoding": {
                "x": _quantity("cost_per_success", "dollars per success"),
                "y": _quantity("success_rate", "success rate", axis=RATE, scale={"zero": False}),
                "tooltip": _told("name", "trials", "success_rate", "cost_per_success", "cost_per_success_lower",
                                 "cost_per_success_upper"),
            },
            "layer": [
                {"mark": {"type": "point", "filled": True, "size": 90, "color": BLUE}},
                {
                    "mark": {"type": "text", "align": "left", "dx": 8, "limit": 140},
                    "encoding": {"text": {"field": "name", "type": "nominal"}},
                },
            ],
        },
    )  # fmt: skip


def _days() -> Chart:
    return _chart(
        "Success rate over the last 7 days, with its 95 % interval and drift alarms",
        f"""select outcome_date, {NAME}, trailing_7d_trials, trailing_7d_success_rate,
            trailing_7d_success_rate_lower, trailing_7d_success_rate_upper, is_drift_alarm
        from model_daily_trends
        where
            (:task_type = '' or task_type = :task_type)
            and outcome_date > (
                select date(max(outcome_date), '-' || cast(:days as integer) || ' days') from model_daily_trends
            )
        order by task_type, model_id, outcome_date""",
        {
            "height": 260,
            "encoding": {"x": {"field": "outcome_date", "type": "temporal", "title": None}},
            "layer": [
                {
                    "mark": {"type": "area"},
                    "encoding": {
                        "y": _quantity("trailing_7d_success_rate_lower", "success rate", axis=RATE),
                        "y2": {"field": "trailing_7d_success_rate_upper"},
                        "color": _named(),
                        "opacity": {"condition": {"param": "chosen", "empty": False, "value": 0.25}, "value": 0.06},
                    },
                },
                {
                    "params": [{"name": "chosen", "select": {"type": "point", "fields": ["name"]}, "bind": "legend"}],
                    "mark": {"type": "line", "point": False},
                    "encoding": {
                        "y": _quantity("trailing_7d_success_rate", "success rate", axis=RATE),
                        "color": _named(),
                        "opacity": {"condition": {"param": "chosen", "value": 1}, "value": 0.15},
                        "tooltip": _told("name", "outcome_date", "trailing_7d_trials", "trailing_7d_success_rate"),
                    },
                },
                {
                    "transform": [{"filter": "datum.is_drift_alarm == 1"}],
                    "mark": {"type": "point", "shape": "triangle-down", "filled": True, "size": 60, "color": ORANGE},
                    "encoding": {
                        "y": _quantity("trailing_7d_success_rate", "success rate"),
                        "tooltip": _told("name", "outcome_date", "trailing_7d_success_rate"),
                    },
                },
            ],
        },
    )


def _candidates() -> Chart:
    return _table(
        "Candidates: demotion and A/B tests",
        4,
        """select as_html(task_type) as "task type", as_html(model_id) as model, kind as "for",
            as_html(reason) as reason
        from (
            select task_type, model_id, 'demotion' as kind, reason from demotion_candidates
            union all
            select task_type, model_id, 'A/B test' as kind, reason from ab_test_candidates
        )
        where :task_type = '' or task_type = :task_type
        order by task_type, kind desc, model_id""",
    )


def _experiments() -> Chart:
    return _table(
        "Experiments",
        5,
        """select as_html(experiment_id) as experiment, as_html(challenger_model_id) as challenger,
            as_html(incumbent_model_id) as incumbent, replace(verdict, '_', ' ') as verdict,
            coalesce(substr(first_decided_at, 1, 10), '') as since
        from ab_comparisons
        where :task_type = '' or task_type is null or task_type = :task_type
        order by experiment_id""",
    )


def _chart(title: str, query: str, display: Chart) -> Chart:
    return {"title": title, "db": DATABASE, "query": query, "library": "vega-lite", "display": display}


def _table(title: str, columns: int, query: str) -> Chart:
    """Where nothing is found a row says so: the plugin cannot draw a table without one."""
    nothing = ", ".join(["'none'", *["''"] * (columns - 1)])
    whole = f"""with found as (
        {query}
        )
        select * from found union all select {nothing} where not exists (select 1 from found)"""
    return {"title": title, "db": DATABASE, "query": whole, "library": "table"}


def _quantity(column: str, title: str, **more: Any) -> Chart:
    return {"field": column, "type": "quantitative", "title": title, **more}


def _named() -> Chart:
    return {**_nominal("name"), "legend": {"labelLimit": 220}}


def _standing() -> Chart:
    return {**_nominal("standing"), "scale": {"domain": STANDINGS, "range": [ORANGE, BLUE]}}


def _nominal(column: str) -> Chart:
    return {"field": column, "type": "nominal", "title": None}


def _told(*columns: str) -> list[Chart]:
    """A tooltip's lines."""
    percent = [column for column in columns if "success_rate" in column]
    return [
        {"field": column, "type": "quantitative" if column in percent else "nominal",
         **({"format": ".1%"} if column in percent else {}), "title": column.replace("_", " ")}
        for column in columns
    ]  # fmt: skip

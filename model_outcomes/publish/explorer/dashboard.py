"""The dashboard: its queries, and how their answers are drawn.

The plugin puts the texts of a table into the page as markup, so every text in a table goes through `as_html`. Charts
draw text as text.
"""

from __future__ import annotations

from typing import Any

from model_outcomes.answers import standings

DATABASE = "model_outcomes"

Chart = dict[str, Any]

# In a chart of all task types, several rows would have the same model as their name.
NAME = "case when :task_type = '' then as_text(task_type) || ' · ' else '' end || as_text(model_id) as name"
# A remark on models that lost many attempts.
LOST = "case when has_many_lost_attempts = 1 then ' (' || printf('%.1f', 100 * lost_share) || '% lost)' else '' end"
ALARM, BLUE = standings.STANDINGS["behind"].light, standings.STANDINGS["best"].light
RATE = {"format": ".0%"}


def page(most_used: str | None) -> dict[str, Any]:
    """Return the configuration of the dashboard for its plugin. It opens with the task type `most_used`."""
    return {
        "title": "Model outcomes",
        "description": "Which model is best at a task type, how sure that is, what a success costs, and what changed.",
        "layout": [
            ["ranking", "ranking", "cost"],
            ["caveats", "caveats", "caveats"],
            ["days", "days", "days"],
            ["recommendations", "recommendations", "recommendations"],
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
            "caveats": _caveats(),
            "days": _days(),
            "recommendations": _recommendations(),
            "experiments": _experiments(),
        },
    }


def _ranking() -> Chart:
    return _chart(
        "Success rate with its 95 % interval, the best first",
        f"""select name || {LOST} as name, rank, trials, success_rate, success_rate_lower, success_rate_upper,
            infrastructure_failures, {standings.words_of("standing")} as standing
        from (select *, {NAME} from model_rankings)
        where trials > 0 and (:task_type = '' or task_type = :task_type)
        order by task_type, rank is null, rank""",
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
                        "shape": {
                            **_nominal("standing"),
                            "scale": {"domain": standings.WORDS, "range": standings.SHAPES},
                        },
                        "tooltip": _tooltip("name", "rank", "trials", "success_rate", "success_rate_lower",
                                         "success_rate_upper", "infrastructure_failures", "standing"),
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
                "x": _quantity("cost_per_success", "US dollars per success"),
                "y": _quantity("success_rate", "success rate", axis=RATE, scale={"zero": False}),
                "tooltip": _tooltip("name", "trials", "success_rate", "cost_per_success", "cost_per_success_lower",
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
                where outcome_date <= date('now', '+1 day')
            )
            and outcome_date <= date('now', '+1 day')
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
                        "tooltip": _tooltip("name", "outcome_date", "trailing_7d_trials", "trailing_7d_success_rate"),
                    },
                },
                {
                    "transform": [{"filter": "datum.is_drift_alarm == 1"}],
                    "mark": {"type": "point", "shape": "triangle-down", "filled": True, "size": 60, "color": ALARM},
                    "encoding": {
                        "y": _quantity("trailing_7d_success_rate", "success rate"),
                        "tooltip": _tooltip("name", "outcome_date", "trailing_7d_success_rate"),
                    },
                },
            ],
        },
    )


def _recommendations() -> Chart:
    return _table(
        "What to do",
        5,
        """select as_html(task_type) as "task type", replace(action, '_', ' ') as "do",
            as_html(coalesce(alternative_model_id, model_id, '')) as model,
            as_html(case action when 'replace' then incumbent_model_id when 'try' then model_id else '' end)
                as "instead of",
            as_html(reason) as why
        from recommendations
        where :task_type = '' or task_type = :task_type
        order by task_type""",
    )


def _caveats() -> Chart:
    """Return the caveats, as in report and doctor. A caveat without a task type is shown for every task type."""
    return _table(
        "What not to trust",
        4,
        """select as_html(title) as caveat, as_html(consequence) as "what follows",
            as_html(coalesce(place, '')) as "where", as_html(coalesce(next_step, '')) as "what to do"
        from caveats
        where :task_type = '' or task_type is null or task_type = :task_type
        order by priority, place_number""",
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
    """Return a table. Without rows it has one that says `none`, since the plugin cannot draw an empty table."""
    no_row = ", ".join(["'none'", *["''"] * (columns - 1)])
    never_empty = f"""with answer as (
        {query}
        )
        select * from answer union all select {no_row} where not exists (select 1 from answer)"""
    return {"title": title, "db": DATABASE, "query": never_empty, "library": "table"}


def _quantity(column: str, title: str, **more: Any) -> Chart:
    return {"field": column, "type": "quantitative", "title": title, **more}


def _named() -> Chart:
    return {**_nominal("name"), "legend": {"labelLimit": 220}}


def _standing() -> Chart:
    return {**_nominal("standing"), "scale": {"domain": standings.WORDS, "range": standings.LIGHT}}


def _nominal(column: str) -> Chart:
    return {"field": column, "type": "nominal", "title": None}


def _tooltip(*columns: str) -> list[Chart]:
    """Return the lines of a tooltip, one per column."""
    percent = [column for column in columns if "success_rate" in column]
    return [
        {"field": column, "type": "quantitative" if column in percent else "nominal",
         **({"format": ".1%"} if column in percent else {}), "title": column.replace("_", " ")}
        for column in columns
    ]  # fmt: skip

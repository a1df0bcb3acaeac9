"""The charts as Vega-Lite, made with Altair. Their data are named, and the page fills them in.

Colours are variables of the style sheet, so that a chart is legible on light and dark screens and on paper. A shape or
a place always says the same as a colour.
"""

from __future__ import annotations

from typing import Any

import altair as alt

from model_outcomes.answers import standings

Spec = dict[str, Any]
Chart = Any  # Altair's own types do not reach through layers and facets

COLORS = [f"var(--{key})" for key in standings.STANDINGS]
ALARM = "var(--alarm)"

RATE = alt.Axis(format="%")
# Days are UTC days in every time zone.
DAY = alt.X("day:T", title=None, scale=alt.Scale(type="utc"), axis=alt.Axis(labelOverlap=True))


def specs() -> dict[str, Spec]:
    """Return the Vega-Lite specification of each chart by name; the chart reads named data of the same name."""
    return {
        name: chart.to_dict(validate=True)
        for name, chart in {
            "ranking": _ranking(),
            "days": _days(),
            "costs": _costs(),
            "comparisons": _comparisons(),
        }.items()
    }


def _states() -> tuple[alt.Color, alt.Shape]:
    legend = alt.Legend(title=None, orient="top")
    return (
        alt.Color("state:N", scale=alt.Scale(domain=standings.WORDS, range=COLORS), legend=legend),
        alt.Shape("state:N", scale=alt.Scale(domain=standings.WORDS, range=standings.SHAPES), legend=legend),
    )


def _ranking() -> Chart:
    """Return the success rates as points and their Wilson intervals as lines, the best on top."""
    color, shape = _states()
    order = alt.Y("label:N", sort=alt.SortField("place"), title=None)
    tooltip = [
        alt.Tooltip("model_id:N", title="model"),
        alt.Tooltip("rank:Q", title="rank"),
        alt.Tooltip("trials:Q", title="trials", format=","),
        alt.Tooltip("success_rate:Q", title="success rate", format=".1%"),
        alt.Tooltip("lost:N", title="lost"),
        alt.Tooltip("state:N", title="standing"),
        alt.Tooltip("probability_best:Q", title="chance of being best", format=".1%"),
    ]
    base = alt.Chart(alt.NamedData("ranking")).encode(y=order, tooltip=tooltip)
    rate = alt.Scale(zero=False, nice=True)
    return alt.layer(
        base.mark_rule(strokeWidth=2).encode(
            x=alt.X("success_rate_lower:Q", title="success rate", axis=RATE, scale=rate),
            x2="success_rate_upper:Q",
            color=color,
        ),
        base.mark_point(filled=True, size=90, opacity=1).encode(x="success_rate:Q", color=color, shape=shape),
    )


def _days() -> Chart:
    """Return a panel for each model: daily success rates with a Wilson band, seven-day rates as a line, alarms."""
    rate = alt.Scale(domain=[0, 1])
    base = alt.Chart().encode(x=DAY)
    return alt.layer(
        base.mark_area(opacity=0.25).encode(
            y=alt.Y("lower:Q", title=None, axis=RATE, scale=rate), y2="upper:Q"
        ),
        base.mark_line(strokeWidth=2).encode(y=alt.Y("trailing:Q")),
        base.transform_filter("datum.trials > 0").mark_point(size=14, opacity=0.7, filled=True).encode(
            y=alt.Y("rate:Q"),
            tooltip=[
                alt.Tooltip("model_id:N", title="model"),
                alt.Tooltip("day:N", title="day"),
                alt.Tooltip("successes:Q", title="successes"),
                alt.Tooltip("trials:Q", title="trials"),
                alt.Tooltip("trailing:Q", title="last 7 days", format=".1%"),
            ],
        ),
        base.transform_filter("datum.alarm")
        .mark_point(shape="triangle-down", size=60, filled=True, color=ALARM)
        .encode(y=alt.datum(1.0)),
        # A band needs two days.
        base.transform_filter("datum.is_alone")
        .mark_rule(strokeWidth=4, color="var(--accent)")
        .encode(y=alt.Y("lower:Q"), y2="upper:Q")
        .properties(name="alone"),
        data=alt.NamedData("days"),
    ).properties(width=250, height=110).facet(
        facet=alt.Facet(
            "model_id:N", title=None, sort=alt.EncodingSortField("place", "min"), header=alt.Header(labelLimit=240)
        )
    )  # fmt: skip


def _costs() -> Chart:
    """Return cost per success against success rate; a line joins the models that no other model beats in both."""
    color, shape = _states()
    cost = alt.X(
        "cost_per_success:Q", title="US dollars per success (lower is better)", scale=alt.Scale(type="log"),
        axis=alt.Axis(format="$~r", labelOverlap=True),
    )  # fmt: skip
    rate = alt.Y("success_rate:Q", title="success rate", axis=RATE, scale=alt.Scale(zero=False))
    base = alt.Chart(alt.NamedData("costs")).encode(x=cost, y=rate)
    return alt.layer(
        base.transform_filter("datum.is_on_frontier").mark_line(strokeDash=[4, 3]).encode(order="cost_per_success:Q"),
        base.mark_point(filled=True, size=90, opacity=1).encode(
            color=color,
            shape=shape,
            tooltip=[
                alt.Tooltip("model_id:N", title="model"),
                alt.Tooltip("cost_per_success:Q", title="per success", format="$,.3r"),
                alt.Tooltip("success_rate:Q", title="success rate", format=".1%"),
            ],
        ),
        base.mark_text(align="left", dx=9, dy=1, limit=160).encode(text="model_id:N"),
    ).properties(height=300)


def _comparisons() -> Chart:
    """Return a panel for each comparison: the difference by day with its anytime-valid interval, a line at 0, and an
    upright line at the decision."""
    base = alt.Chart().encode(x=DAY)
    return alt.layer(
        base.mark_area(opacity=0.25).encode(
            y=alt.Y("difference_lower:Q", title="challenger minus incumbent", axis=RATE), y2="difference_upper:Q"
        ),
        base.mark_line(strokeWidth=2).encode(
            y="difference:Q",
            tooltip=[
                alt.Tooltip("day:N", title="day"),
                alt.Tooltip("difference:Q", title="difference", format="+.1%"),
                alt.Tooltip("difference_lower:Q", title="from", format="+.1%"),
                alt.Tooltip("difference_upper:Q", title="to", format="+.1%"),
            ],
        ),
        alt.Chart().mark_rule(strokeDash=[4, 3]).encode(y=alt.datum(0)),
        base.transform_filter("datum.is_decided").mark_rule(strokeWidth=2, color=ALARM),
        # A band and a line need two days.
        base.transform_filter("datum.is_alone")
        .mark_rule(strokeWidth=4, color="var(--accent)")
        .encode(y="difference_lower:Q", y2="difference_upper:Q")
        .properties(name="alone"),
        base.transform_filter("datum.is_alone")
        .mark_point(size=60, filled=True, opacity=1)
        .encode(y="difference:Q")
        .properties(name="alone-point"),
        data=alt.NamedData("comparisons"),
    ).properties(width=360, height=170).facet(
        facet=alt.Facet("title:N", title=None, sort=None, header=alt.Header(labelLimit=360))
    )  # fmt: skip

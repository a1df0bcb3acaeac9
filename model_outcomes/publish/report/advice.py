"""Recommendations and leaders in words: what to do at each task type, which model is the best and how sure that is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from model_outcomes.answers.phrases import counted, dollars, instruction, listed, named, percent, points
from model_outcomes.answers.queries import Answer
from model_outcomes.publish.report.content import Contents, by_task_type
from model_outcomes.publish.report.notes import Note

# The prefixes of the columns whose figures a recommendation shows, by action.
ROLES = {
    "keep": ["model"],
    "replace": ["alternative", "incumbent"],
    "try": ["alternative", "model"],
    "cannot_tell": [],
}
REASON_LENGTH = 400  # characters


@dataclass(frozen=True)
class Leader:
    """The best model of a task type, how sure that is, and its cost, as texts to show; None if no model is eligible."""

    task_type: str
    model_id: str | None
    is_sure: bool
    certainty: str
    success_rate: str
    trials: str
    cost_per_success: str
    incumbent: str


def recommended(contents: Contents) -> list[Note]:
    """Return a note per task type: what to do and why, with success rates and costs."""
    return [Note(row["task_type"], _recommendation(row)) for row in contents.recommendations]


def _recommendation(row: dict[str, Any]) -> str:
    text = f"{instruction(row)}: {named(row['reason'], REASON_LENGTH)}."
    figures = [_figures(row, role) for role in ROLES[row["action"]]]
    text += f" {' against '.join(figures)}." if figures else ""
    if row["difference_lower"] is not None:
        difference = map(points, (row["difference"], row["difference_lower"], row["difference_upper"]))
        text += " The difference is {} points ({} to {}).".format(*difference)
    return text


def _figures(row: dict[str, Any], role: str) -> str:
    """Return the success rate and the cost of the model in a role (a prefix of columns)."""
    cost = row[f"{role}_cost_per_success"]
    price = "at an unknown cost" if cost is None else f"at {dollars(cost)} per success"
    return f"{percent(row[f'{role}_success_rate'])} {price}"


def leaders(contents: Contents) -> list[Leader]:
    """Return the best model of each task type that is not retired, and how sure that is."""
    falling = {(row["task_type"], row["model_id"]) for row in contents.drifts}
    recommendations = {row["task_type"]: row for row in contents.recommendations}
    leaders = []
    for task_type, rankings in by_task_type(contents.rankings).items():
        in_use = [row for row in rankings if not row["is_retired"]]
        first = (in_use or rankings)[0]
        incumbent = _incumbent(recommendations.get(task_type), first["model_id"])
        if first["rank"] is None or first["is_retired"]:
            certainty = "no model has been tried often enough"
            leaders.append(Leader(task_type, None, False, certainty, "", "", "", incumbent))
            continue
        is_sure, certainty = _certainty(in_use, {model for task, model in falling if task == task_type})
        rate = f"{percent(first['success_rate'])} ({_bounds(first, 'success_rate', percent)})"
        cost = cost_of_success(first)
        leaders.append(
            Leader(task_type, first["model_id"], is_sure, certainty, rate, f"{first['trials']:,}", cost, incumbent)
        )
    return leaders


def _incumbent(recommendation: dict[str, Any] | None, leader: str) -> str:
    if recommendation is None or recommendation["incumbent_model_id"] is None:
        return "none"
    incumbent = recommendation["incumbent_model_id"]
    if recommendation["action"] == "replace":
        return f"{named(incumbent)}: surely worse, replace it"
    return "the same" if incumbent == leader else named(incumbent)


def _certainty(rankings: Answer, falling: set[str]) -> tuple[bool, str]:
    """Return whether the first model of a task type is surely the best, and the same in words."""
    first, rivals = rankings[0], [row for row in rankings[1:] if row["is_eligible"]]
    if first["model_id"] in falling:
        return False, "not sure: it is getting worse, see below"
    if first["is_degenerate"]:
        result = "succeeded" if first["successes"] else "failed"
        return False, f"not sure: every trial {result}, so nothing tells the models apart"
    if not rivals:
        return False, "not sure: no other model has been tried often enough"
    if first["is_too_little_tried"]:
        return False, "not sure: it has too few trials"
    tied = [row for row in rivals if row["is_tied_with_leader"] == 1]
    if not tied:
        return True, f"sure: better than {'all ' if len(rivals) > 1 else ''}{counted(len(rivals), 'other')}"
    likely = [row for row in tied if row["is_likely_best"] and row["model_id"] not in falling]
    if likely:
        return False, f"not sure: {listed([_alternative(row) for row in likely], 3)} may be as good"
    thin = sum(row["is_too_little_tried"] for row in tied)
    few = f"; {counted(thin, 'other')} had too few trials to tell" if thin else ""
    return False, f"probably: no other model is likely to be better{few}"


def _alternative(row: dict[str, Any]) -> str:
    cost = "" if row["cost_per_success"] is None else f", {dollars(row['cost_per_success'])} per success"
    return f"{named(row['model_id'])} ({percent(row['success_rate'])}{cost})"


def cost_of_success(row: dict[str, Any]) -> str:
    """Return the cost per success with its interval, or why it is not known."""
    if row["cost_per_success"] is None:
        return "no success yet" if row["has_cost_without_success"] else "unknown: no price recorded"
    if row["cost_per_success_lower"] is None:
        few = " (one success: no interval)" if row["cost_per_success"] > 0 else ""
        return f"{dollars(row['cost_per_success'])}{few}"
    return f"{dollars(row['cost_per_success'])} ({_bounds(row, 'cost_per_success', dollars)})"


def _bounds(row: dict[str, Any], name: str, text: Any) -> str:
    return f"{text(row[f'{name}_lower'])} to {text(row[f'{name}_upper'])}"

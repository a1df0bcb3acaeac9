"""The marts in sentences: what to do, which model leads and how sure that is, what was decided, what got worse."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from model_outcomes.answers.phrases import counted, dollars, listed, named, percent, points
from model_outcomes.answers.queries import Answer
from model_outcomes.publish.report.content import Contents

DECIDED = ("challenger_better", "incumbent_better")
# The roles whose figures a recommendation shows (prefixes of columns), by action.
ROLES = {
    "keep": ["model"],
    "replace": ["alternative", "incumbent"],
    "try": ["alternative", "model"],
    "cannot_tell": [],
}
REASON_WIDTH = 400  # characters
BETTER_ARMS = {"was_challenger_better": "challenger", "was_incumbent_better": "incumbent"}


@dataclass(frozen=True)
class Leader:
    """A task type's answer: which model, how sure that is, at what cost. Texts are ready to be shown."""

    task_type: str
    model_id: str | None
    is_sure: bool
    certainty: str
    success_rate: str
    trials: str
    cost_per_success: str
    incumbent: str


@dataclass(frozen=True)
class Note:
    """A statement about a task type; about several or all where that is None."""

    task_type: str | None
    text: str


def recommended(contents: Contents) -> list[Note]:
    """Return a note per task type: what to do, why, with the rates and prices behind it."""
    return [Note(row["task_type"], _recommendation(row)) for row in contents.recommendations]


def _recommendation(row: dict[str, Any]) -> str:
    text = f"{instruction(row)}: {named(row['reason'], REASON_WIDTH)}."
    figures = [_figures(row, role) for role in ROLES[row["action"]]]
    text += f" {' against '.join(figures)}." if figures else ""
    if row["difference_lower"] is not None:
        difference = map(points, (row["difference"], row["difference_lower"], row["difference_upper"]))
        text += " That is {} points ({} to {}).".format(*difference)
    return text


def instruction(row: dict[str, Any]) -> str:
    """Return a recommendation as an order: `Replace a by b`."""
    if row["action"] == "keep":
        return f"Keep {named(row['model_id'])}"
    if row["action"] == "replace":
        return f"Replace {named(row['incumbent_model_id'])} by {named(row['alternative_model_id'])}"
    if row["action"] == "try":
        return f"Try {named(row['alternative_model_id'])} beside {named(row['model_id'])}"
    return "Cannot tell"


def _figures(row: dict[str, Any], role: str) -> str:
    """Return the success rate and price of the model in a role (a prefix of columns)."""
    cost = row[f"{role}_cost_per_success"]
    price = "at an unknown price" if cost is None else f"at {dollars(cost)} per success"
    return f"{percent(row[f'{role}_success_rate'])} {price}"


def leaders(contents: Contents) -> list[Leader]:
    """Return the first model of each task type, with how sure its place is."""
    falling = _falling(contents)
    recommendations = {row["task_type"]: row for row in contents.recommendations}
    by_task_type: dict[str, Answer] = defaultdict(list)
    for row in contents.rankings:
        by_task_type[row["task_type"]].append(row)
    leaders = []
    for task_type, rankings in by_task_type.items():
        first = rankings[0]
        incumbent = _incumbent(recommendations.get(task_type), first["model_id"])
        if first["rank"] is None:
            certainty = "no model has been tried often enough"
            leaders.append(Leader(task_type, None, False, certainty, "", "", "", incumbent))
            continue
        is_sure, certainty = _certainty(rankings, {model for task, model in falling if task == task_type})
        rate = f"{percent(first['success_rate'])} ({_bounds(first, 'success_rate', percent)})"
        cost = cost_of_success(first)
        leaders.append(
            Leader(task_type, first["model_id"], is_sure, certainty, rate, f"{first['trials']:,}", cost, incumbent)
        )
    return leaders


def _falling(contents: Contents) -> set[tuple[str, str]]:
    return {(row["task_type"], row["model_id"]) for row in contents.drifts}


def _incumbent(recommendation: dict[str, Any] | None, leader: str) -> str:
    if recommendation is None or recommendation["incumbent_model_id"] is None:
        return "none"
    incumbent = recommendation["incumbent_model_id"]
    if recommendation["action"] == "replace":
        return f"{named(incumbent)}, surely worse: replace it"
    return "the same" if incumbent == leader else named(incumbent)


def _certainty(rankings: Answer, falling: set[str]) -> tuple[bool, str]:
    """Return whether the first of a task type's models is surely the best of it, and that in words."""
    first, rivals = rankings[0], [row for row in rankings[1:] if row["is_eligible"]]
    if first["model_id"] in falling:
        return False, "not sure: it is getting worse, see below"
    if first["is_degenerate"]:
        result = "succeeded" if first["successes"] else "failed"
        return False, f"not sure: every trial {result}, so that nothing tells the models apart"
    if not rivals:
        return False, "not sure: no other model has been tried often enough"
    if first["is_too_little_tried"]:
        return False, "not sure: it has too few trials to tell"
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
    """Return the cost of a success with its interval, or why there is no cost."""
    if row["cost_per_success"] is None:
        return "no success yet" if row["has_cost_without_success"] else "unknown: no price recorded"
    if row["cost_per_success_lower"] is None:
        return dollars(row["cost_per_success"])
    return f"{dollars(row['cost_per_success'])} ({_bounds(row, 'cost_per_success', dollars)})"


def decided(contents: Contents) -> list[Note]:
    """Return the comparisons with a verdict that holds: the better model, since when, and by how much."""
    notes = []
    for row in contents.comparisons:
        if row["verdict"] not in DECIDED:
            continue
        better, worse = named(row["challenger_model_id"]), named(row["incumbent_model_id"])
        difference = [row["difference"], row["difference_lower"], row["difference_upper"]]
        rates = [row["challenger_success_rate"], row["incumbent_success_rate"]]
        if row["verdict"] == "incumbent_better":
            better, worse, rates = worse, better, rates[::-1]
            difference = [-row["difference"], -row["difference_upper"], -row["difference_lower"]]
        now, least, most = map(points, difference)
        trials = row["incumbent_trials"] + row["challenger_trials"]
        notes.append(
            Note(
                row["task_type"],
                f"{_asked(row)} is decided since {row['first_decided_at']}: {better} is better than {worse},"
                f" {percent(rates[0])} against {percent(rates[1])}. That is {now} points ({least} to"
                f" {most}) after {trials:,} trials.",
            )
        )
    return notes


def undecided(contents: Contents) -> list[Note]:
    """Return the open comparisons, with how long they may last, and those whose verdict does not hold any more."""
    notes = []
    for row in contents.comparisons:
        if row["verdict"] in DECIDED:
            continue
        arms = f"{named(row['challenger_model_id'])} against {named(row['incumbent_model_id'])}"
        trials = row["incumbent_trials"] + row["challenger_trials"]
        if not trials:
            notes.append(Note(row["task_type"], f"{_asked(row)}, {arms}: no outcome belongs to it yet."))
            continue
        if arm := BETTER_ARMS.get(row["verdict"]):
            difference = map(points, (row["difference"], row["difference_lower"], row["difference_upper"]))
            now = "{} points ({} to {})".format(*difference)
            notes.append(
                Note(
                    row["task_type"],
                    f"{_asked(row)}, {arms}: decided on {row['first_decided_at']} for {named(row[f'{arm}_model_id'])},"
                    f" but that does not hold any more. Now the difference is {now} after {trials:,} trials.",
                )
            )
            continue
        so_far = f"{points(row['difference'])} points after " if row["difference"] is not None else ""
        wait = (
            "it would take more trials than anybody will make"
            if row["trials_to_separate"] is None
            else f"some {row['trials_to_separate']:,} more would decide it if that stays"
        )
        notes.append(Note(row["task_type"], f"{_asked(row)}, {arms}: {so_far}{counted(trials, 'trial')}; {wait}."))
    return notes


def _asked(row: dict[str, Any]) -> str:
    return f"Experiment {named(row['experiment_id'])}" if row["is_declared"] else "The leader against the incumbent"


def demotions(contents: Contents) -> list[Note]:
    """Return a note per task type: the models that are surely worse than its incumbent, or the incumbent itself."""
    by_task_type: dict[str, Answer] = defaultdict(list)
    notes = []
    for row in contents.demotions:
        if row["is_worse_than_incumbent"]:
            by_task_type[row["task_type"]].append(row)
        elif row["is_worse_than_leader"]:
            model, rate = named(row["model_id"]), percent(row["success_rate"])
            text = f"{model} ({rate}), the incumbent: surely worse than {named(row['leader_model_id'])}, the leader."
            notes.append(Note(row["task_type"], text))
    for task_type, rows in by_task_type.items():
        rows.sort(key=lambda row: row["difference"])
        worse = [f"{named(row['model_id'])} ({percent(row['success_rate'])})" for row in rows]
        incumbent, rate = rows[0]["incumbent_model_id"], rows[0]["incumbent_successes"] / rows[0]["incumbent_trials"]
        notes.append(
            Note(
                task_type, f"{listed(worse, 8)}: surely worse than {named(incumbent)} ({percent(rate)}), the incumbent."
            )
        )
    return notes


def drifts(contents: Contents) -> list[Note]:
    """Models that are getting worse: since when, from what to what."""
    return [
        Note(
            row["task_type"],
            f"{named(row['model_id'])} got worse from about {row['began_on']} on: {_share(row, 'since')} since, against"
            f" {_share(row, 'before')} in the four weeks before. The alarm rang on {row['drifting_since']} and stands.",
        )
        for row in contents.drifts
    ]


def _share(row: dict[str, Any], when: str) -> str:
    trials, successes = row[f"trials_{when}"], row[f"successes_{when}"]
    return f"{percent(successes / trials)} of {counted(trials, 'trial')}" if trials else "no trial"


def trials_worth_making(contents: Contents) -> list[Note]:
    """Return a note per task type: models that are likely the best, and how many have too few trials to tell."""
    by_task_type: dict[str, Answer] = defaultdict(list)
    for row in contents.candidates:
        by_task_type[row["task_type"]].append(row)
    notes = []
    for task_type, rows in by_task_type.items():
        likely = [
            f"{named(row['model_id'])} ({percent(row['success_rate'])} of {counted(row['trials'], 'trial')})"
            for row in rows
            if not row["is_too_little_tried"]
        ]
        thin = sum(row["is_too_little_tried"] for row in rows)
        parts = [f"{listed(likely)} may be the best"] if likely else []
        parts += [f"{counted(thin, 'model')} had too few trials to tell"] if thin else []
        compared = rows[0]["compared_model_id"]
        role = "leads so far" if rows[0]["incumbent_model_id"] is None else "is the incumbent"
        notes.append(
            Note(task_type, f"{'; '.join(parts)}.{f' {named(compared)} {role}.' if compared is not None else ''}")
        )
    return notes


# The lists of new models in a run's changes, and the words for each.
NEWS = {
    "new_demotion_candidates": "is surely worse than the model that it is compared with",
    "new_drift_alarms": "is getting worse",
    "new_ab_test_candidates": "is worth a trial",
}


def changes(contents: Contents) -> list[Note]:
    """Return what the last run found new."""
    found = contents.changes
    if not found:
        return []
    if found["since"] is None:
        return [Note(None, "That run was the first: everything is new.")]
    notes = [
        Note(
            row["task_type"],
            f"{named(row['model_id'])} leads now"
            + (f", and no more {named(row['previous_model_id'])}." if row["previous_model_id"] else "."),
        )
        for row in found["new_leaders"]
    ]
    notes += [
        Note(
            row["task_type"],
            f"{named(row['challenger_model_id'])} against {named(row['incumbent_model_id'])} is decided:"
            f" {row['verdict'].replace('_', ' ')}."
            if row["verdict"] in DECIDED
            else f"The verdict on {named(row['challenger_model_id'])} against {named(row['incumbent_model_id'])} does"
            " not hold any more.",
        )
        for row in found["new_verdicts"]
    ]
    notes += [
        Note(row["task_type"], f"The advice is new: {_lowered(instruction(row))}.")
        for row in found.get("new_recommendations", [])  # runs of an older version have none
    ]
    for name, said in NEWS.items():
        notes += [Note(row["task_type"], f"{named(row['model_id'])} {said}.") for row in found[name]]
    for name, said in (("new_models", "models"), ("new_task_types", "task types")):
        if found[name]:
            notes.append(Note(None, f"New {said}: {listed([named(each) for each in found[name]], 12)}."))
    return notes


def _lowered(text: str) -> str:
    return text[0].lower() + text[1:]


def _bounds(row: dict[str, Any], name: str, text: Any) -> str:
    return f"{text(row[f'{name}_lower'])} to {text(row[f'{name}_upper'])}"

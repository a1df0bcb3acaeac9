"""What follows from the marts, in sentences: who leads and how sure that is, what was decided, what got worse."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from loader.phrases import counted, dollars, listed, named, percent, points
from loader.reading import Answer
from loader.report.gathering import Contents


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


def leaders(contents: Contents) -> list[Leader]:
    """One per task type."""
    falling = _falling(contents)
    beaten = {row["task_type"] for row in contents.comparisons if not row["is_declared"] and row["first_decided_at"]}
    by_task_type: dict[str, Answer] = defaultdict(list)
    for row in contents.rankings:
        by_task_type[row["task_type"]].append(row)
    found = []
    for task_type, rankings in by_task_type.items():
        first = rankings[0]
        incumbent = _incumbent(contents.incumbents.get(task_type), first["model_id"], task_type in beaten)
        if first["rank"] is None:
            said = "no model has been tried often enough"
            found.append(Leader(task_type, None, False, said, "", "", "", incumbent))
            continue
        is_sure, certainty = _certainty(rankings, {model for task, model in falling if task == task_type})
        rate = f"{percent(first['success_rate'])} ({_bounds(first, 'success_rate', percent)})"
        cost = cost_of_success(first)
        found.append(
            Leader(task_type, first["model_id"], is_sure, certainty, rate, f"{first['trials']:,}", cost, incumbent)
        )
    return found


def _falling(contents: Contents) -> set[tuple[str, str]]:
    return {(row["task_type"], row["model_id"]) for row in contents.drifts}


def _incumbent(incumbent: str | None, leader: str, is_beaten: bool) -> str:
    if incumbent is None:
        return ""
    if incumbent == leader:
        return "the same"
    return f"{named(incumbent)}, surely worse: replace it" if is_beaten else named(incumbent)


def _certainty(rankings: Answer, falling: set[str]) -> tuple[bool, str]:
    """Whether the first of a task type's models is surely the best of it, and that in words."""
    first, rivals = rankings[0], [row for row in rankings[1:] if row["is_eligible"]]
    if first["model_id"] in falling:
        return False, "not sure: it is getting worse, see below"
    if first["is_degenerate"]:
        verdict = "succeeded" if first["successes"] else "failed"
        return False, f"not sure: whatever was tried {verdict}, so that nothing tells the models apart"
    if not rivals:
        return False, "not sure: no other model has been tried often enough"
    tied = [row for row in rivals if row["is_tied_with_leader"] == 1]
    if not tied:
        return True, f"sure: better than {'all ' if len(rivals) > 1 else ''}{counted(len(rivals), 'other')}"
    names = [f"{named(row['model_id'])}{' (getting worse)' if row['model_id'] in falling else ''}" for row in tied]
    said = f"not sure: {listed(names, 3)} may be as good"
    priced = [row for row in tied if row["cost_per_success"] is not None]
    cheapest = min(priced, key=lambda row: row["cost_per_success"], default=None)
    if cheapest and first["cost_per_success"] and cheapest["cost_per_success"] < first["cost_per_success"]:
        which = "" if len(tied) == 1 else f"; the cheapest of them is {named(cheapest['model_id'])}"
        said += f"{which}, at {dollars(cheapest['cost_per_success'])} per success"
    return False, said


def cost_of_success(row: dict[str, Any]) -> str:
    """With its interval, or why there is none."""
    if row["cost_per_success"] is None:
        return "no success yet" if row["has_cost_without_success"] else "unknown: no price recorded"
    if row["cost_per_success_lower"] is None:
        return dollars(row["cost_per_success"])
    return f"{dollars(row['cost_per_success'])} ({_bounds(row, 'cost_per_success', dollars)})"


def decided(contents: Contents) -> list[Note]:
    """Comparisons with a verdict: who is better, since when that is decided, by how much."""
    notes = []
    for row in contents.comparisons:
        if row["first_decided_at"] is None:
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
    """Comparisons that are open, with how long that may last."""
    notes = []
    for row in contents.comparisons:
        if row["first_decided_at"] is not None:
            continue
        arms = f"{named(row['challenger_model_id'])} against {named(row['incumbent_model_id'])}"
        trials = row["incumbent_trials"] + row["challenger_trials"]
        if not trials:
            notes.append(Note(row["task_type"], f"{_asked(row)}, {arms}: no outcome belongs to it yet."))
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
    """One per task type: the models that are surely worse than its incumbent."""
    by_task_type: dict[str, Answer] = defaultdict(list)
    for row in contents.demotions:
        if row["is_worse_than_incumbent"]:
            by_task_type[row["task_type"]].append(row)
    notes = []
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
    """One per task type: models that nothing surely beats, and those too little tried to tell."""
    falling = _falling(contents)
    by_task_type: dict[str, Answer] = defaultdict(list)
    for row in contents.candidates:
        by_task_type[row["task_type"]].append(row)
    notes = []
    for task_type, rows in by_task_type.items():
        thin = [row for row in rows if row["reason"].startswith("too little")]
        may_lead = [
            f"{named(row['model_id'])} ({percent(row['success_rate'])} of {counted(row['trials'], 'trial')}"
            f"{', but getting worse' if (task_type, row['model_id']) in falling else ''})"
            for row in rows
            if row not in thin
        ]
        young = [f"{named(row['model_id'])} ({counted(row['trials'], 'trial')})" for row in thin]
        said = [f"{listed(may_lead)} may be the best"] if may_lead else []
        said += [f"{listed(young)} had too few to tell"] if young else []
        notes.append(Note(task_type, f"{'; '.join(said)}. {named(rows[0]['incumbent_model_id'])} is the incumbent."))
    return notes


# What a run calls new, and how that reads of a model.
NEWS = {
    "new_demotion_candidates": "is surely worse than the incumbent",
    "new_drift_alarms": "is getting worse",
    "new_ab_test_candidates": "is worth a trial",
}


def changes(contents: Contents) -> list[Note]:
    """What the last run found new."""
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
            f" {row['verdict'].replace('_', ' ')}.",
        )
        for row in found["new_verdicts"]
    ]
    for name, said in NEWS.items():
        notes += [Note(row["task_type"], f"{named(row['model_id'])} {said}.") for row in found[name]]
    for name, said in (("new_models", "models"), ("new_task_types", "task types")):
        if found[name]:
            notes.append(Note(None, f"New {said}: {listed([named(each) for each in found[name]], 12)}."))
    return notes


def _bounds(row: dict[str, Any], name: str, text: Any) -> str:
    return f"{text(row[f'{name}_lower'])} to {text(row[f'{name}_upper'])}"

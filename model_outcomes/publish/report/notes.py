"""Statements for the report: decided and open comparisons, drift, demotions, trials worth making, changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from model_outcomes.answers.phrases import counted, instruction, listed, named, percent, points
from model_outcomes.answers.verdicts import BETTER_ARMS, FORMER_BETTER_ARMS
from model_outcomes.publish.report.content import Contents, by_task_type

# The lists of new models in a run's changes, and the words for each.
CHANGES = {
    "new_demotion_candidates": "is surely worse than the model that it is compared with",
    "new_drift_alarms": "is getting worse",
    "new_ab_test_candidates": "is worth a trial",
}


@dataclass(frozen=True)
class Note:
    """A statement about a task type; `task_type` is None if it is about several."""

    task_type: str | None
    text: str


def decided(contents: Contents) -> list[Note]:
    """Return a note per decided comparison: the better model, the day of the decision, and the difference."""
    notes = []
    for row in contents.comparisons:
        if row["verdict"] not in BETTER_ARMS:
            continue
        better, worse = named(row["challenger_model_id"]), named(row["incumbent_model_id"])
        difference = [row["difference"], row["difference_lower"], row["difference_upper"]]
        rates = [row["challenger_success_rate"], row["incumbent_success_rate"]]
        if BETTER_ARMS[row["verdict"]] == "incumbent":
            better, worse, rates = worse, better, rates[::-1]
            difference = [-row["difference"], -row["difference_upper"], -row["difference_lower"]]
        now, least, most = map(points, difference)
        trials = row["incumbent_trials"] + row["challenger_trials"]
        notes.append(
            Note(
                row["task_type"],
                f"{_question(row)} was decided on {row['first_decided_at']}: {better} is better than {worse},"
                f" {percent(rates[0])} against {percent(rates[1])}. The difference is {now} points ({least} to"
                f" {most}) after {trials:,} trials.",
            )
        )
    return notes


def undecided(contents: Contents) -> list[Note]:
    """Return a note per open comparison, with the trials that it still needs, or with its earlier verdict."""
    notes = []
    for row in contents.comparisons:
        if row["verdict"] in BETTER_ARMS:
            continue
        arms = f"{named(row['challenger_model_id'])} against {named(row['incumbent_model_id'])}"
        trials = row["incumbent_trials"] + row["challenger_trials"]
        if not trials:
            notes.append(Note(row["task_type"], f"{_question(row)}, {arms}: no outcomes yet."))
            continue
        if arm := FORMER_BETTER_ARMS.get(row["verdict"]):
            difference = map(points, (row["difference"], row["difference_lower"], row["difference_upper"]))
            now = "{} points ({} to {})".format(*difference)
            notes.append(
                Note(
                    row["task_type"],
                    f"{_question(row)}, {arms}: the verdict of {row['first_decided_at']} for"
                    f" {named(row[f'{arm}_model_id'])} no longer holds. The difference is now {now} after"
                    f" {trials:,} trials.",
                )
            )
            continue
        so_far = f"{points(row['difference'])} points after " if row["difference"] is not None else ""
        wait = (
            "no practical number of trials would decide it"
            if row["trials_to_separate"] is None
            else f"about {row['trials_to_separate']:,} more would decide it if the difference stays the same"
        )
        notes.append(Note(row["task_type"], f"{_question(row)}, {arms}: {so_far}{counted(trials, 'trial')}; {wait}."))
    return notes


def _question(row: dict[str, Any]) -> str:
    return f"Experiment {named(row['experiment_id'])}" if row["is_declared"] else "The leader against the incumbent"


def demotions(contents: Contents) -> list[Note]:
    """Return notes on incumbents that are surely worse than the leader, then on models surely worse than the
    incumbent."""
    notes = []
    for row in contents.demotions:
        if row["is_worse_than_leader"] and not row["is_worse_than_incumbent"]:
            model, rate = named(row["model_id"]), percent(row["success_rate"])
            text = f"The incumbent {model} ({rate}) is surely worse than the leader {named(row['leader_model_id'])}."
            notes.append(Note(row["task_type"], text))
    worse_than_incumbent = [row for row in contents.demotions if row["is_worse_than_incumbent"]]
    for task_type, rows in by_task_type(worse_than_incumbent).items():
        rows.sort(key=lambda row: row["difference"])
        worse = [f"{named(row['model_id'])} ({percent(row['success_rate'])})" for row in rows]
        incumbent, rate = rows[0]["incumbent_model_id"], rows[0]["incumbent_successes"] / rows[0]["incumbent_trials"]
        text = f"{listed(worse, 8)}: surely worse than the incumbent {named(incumbent)} ({percent(rate)})."
        notes.append(Note(task_type, text))
    return notes


def drifts(contents: Contents) -> list[Note]:
    """Return a note per drift alarm: since when the model is worse, and its rates before and since."""
    return [
        Note(
            row["task_type"],
            f"{named(row['model_id'])} has been worse since about {row['began_on']}: {_share(row, 'since')}, against"
            f" {_share(row, 'before')} in the four weeks before. Drift alarm since {row['drifting_since']}.",
        )
        for row in contents.drifts
    ]


def _share(row: dict[str, Any], when: str) -> str:
    trials, successes = row[f"trials_{when}"], row[f"successes_{when}"]
    return f"{percent(successes / trials)} of {counted(trials, 'trial')}" if trials else "no trials"


def trials_worth_making(contents: Contents) -> list[Note]:
    """Return a note per task type: models that may be the best, and how many have too few trials to tell."""
    notes = []
    for task_type, rows in by_task_type(contents.candidates).items():
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


def changes(contents: Contents) -> list[Note]:
    """Return a note per change that the last run found."""
    new = contents.changes
    if not new:
        return []
    if new["since"] is None:
        return [Note(None, "This was the first run: everything is new.")]
    notes = [
        Note(
            row["task_type"],
            f"{named(row['model_id'])} leads now"
            + (f" instead of {named(row['previous_model_id'])}." if row["previous_model_id"] else "."),
        )
        for row in new["new_leaders"]
    ]
    notes += [
        Note(
            row["task_type"],
            f"{named(row['challenger_model_id'])} against {named(row['incumbent_model_id'])} is decided:"
            f" {row['verdict'].replace('_', ' ')}."
            if row["verdict"] in BETTER_ARMS
            else f"The verdict on {named(row['challenger_model_id'])} against {named(row['incumbent_model_id'])} no"
            " longer holds.",
        )
        for row in new["new_verdicts"]
    ]
    notes += [
        Note(row["task_type"], f"New advice: {_lowered(instruction(row))}.") for row in new["new_recommendations"]
    ]
    for name, words in CHANGES.items():
        notes += [Note(row["task_type"], f"{named(row['model_id'])} {words}.") for row in new[name]]
    for name, noun in (("new_models", "models"), ("new_task_types", "task types")):
        if new[name]:
            notes.append(Note(None, f"New {noun}: {listed([named(item) for item in new[name]], 12)}."))
    return notes


def _lowered(text: str) -> str:
    return text[0].lower() + text[1:]

"""What follows from the marts, in sentences: who leads and how sure that is, what was decided, what to distrust."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from loader.reading import Answer
from loader.report.gathering import Contents
from loader.terminal import shortened

NAME_WIDTH = 48
STALE_DAYS = 7
THIN_TRIALS = 30
UNPRICED_SHARE = 0.05
VOID_SHARE = 0.1


def named(name: str | None) -> str:
    """A name from outside as it can be shown: no longer than a line, and without characters that steer."""
    return shortened(name or "", NAME_WIDTH)


@dataclass(frozen=True)
class Leader:
    """A task type's answer: which model, in what sense best, at what cost. Texts are ready to be shown."""

    task_type: str
    model_id: str | None
    certainty: str
    is_sure: bool
    success_rate: str
    trials: str
    cost_per_success: str
    incumbent_model_id: str | None


@dataclass(frozen=True)
class Note:
    """A statement about a task type (empty: about everything), and whether it should worry somebody."""

    task_type: str
    text: str


def leaders(contents: Contents) -> list[Leader]:
    """One per task type."""
    return [_leader(task_type, _of(contents.rankings, task_type), contents) for task_type in contents.task_types]


def _leader(task_type: str, rankings: Answer, contents: Contents) -> Leader:
    first = rankings[0]
    incumbent = contents.incumbents.get(task_type)
    if first["rank"] is None:
        return Leader(task_type, None, "none has been tried often enough", False, "", "", "", incumbent)
    tied = [named(row["model_id"]) for row in rankings[1:] if row["is_tied_with_leader"] == 1]
    rivals = sum(row["is_eligible"] for row in rankings) - 1
    if not rivals:
        certainty, is_sure = "the only model tried often enough", False
    elif not tied:
        certainty, is_sure = f"surely better than all {rivals} others" if rivals > 1 else "surely better", True
    else:
        others = ", ".join(tied[:3]) + (f" and {len(tied) - 3} more" if len(tied) > 3 else "")
        certainty = f"not sure: {others} may be as good"
        is_sure = False
    return Leader(
        task_type,
        first["model_id"],
        certainty,
        is_sure,
        f"{percent(first['success_rate'])} ({percent(first['success_rate_lower'])} to"
        f" {percent(first['success_rate_upper'])})",
        f"{first['trials']:,}",
        cost_of_success(first),
        incumbent,
    )


def cost_of_success(row: dict[str, Any]) -> str:
    """With its interval, or why there is none."""
    cost = row["cost_per_success"]
    if cost is None:
        return "no success yet" if row["has_cost_without_success"] else "unknown: no price was recorded"
    if row["cost_per_success_lower"] is None:
        return dollars(cost)
    return f"{dollars(cost)} ({dollars(row['cost_per_success_lower'])} to {dollars(row['cost_per_success_upper'])})"


def verdicts(contents: Contents) -> list[Note]:
    """Comparisons that are decided: who is better, since when, by how much."""
    notes = []
    for row in contents.comparisons:
        if row["first_decided_at"] is None:
            continue
        bounds = [row["difference"], row["difference_lower"], row["difference_upper"]]
        better, worse = named(row["challenger_model_id"]), named(row["incumbent_model_id"])
        if row["verdict"] == "incumbent_better":
            better, worse = worse, better
            bounds = [-row["difference"], -row["difference_upper"], -row["difference_lower"]]
        ahead, least, most = map(points, bounds)
        said = (
            f"{better} is better than {worse}, decided on {row['first_decided_at']}: {ahead} by now ({least} to {most})"
        )
        asked = (
            f"Experiment {named(row['experiment_id'])}" if row["is_declared"] else "The leader against the incumbent"
        )
        notes.append(Note(row["task_type"] or "", f"{said}. {asked}."))
    return notes


def undecided(contents: Contents) -> list[Note]:
    """Comparisons that are open, with how long that may last."""
    notes = []
    for row in contents.comparisons:
        if row["first_decided_at"] is not None:
            continue
        trials = row["trials_to_separate"]
        wait = (
            "it would take more trials than anybody will make"
            if trials is None
            else f"some {trials:,} more trials would decide it if the difference stays"
        )
        shown = "" if row["difference"] is None else f" ({points(row['difference'])} so far)"
        arms = f"{named(row['challenger_model_id'])} against {named(row['incumbent_model_id'])}"
        asked = f", experiment {named(row['experiment_id'])}" if row["is_declared"] else ""
        notes.append(Note(row["task_type"] or "", f"{arms}{asked}: no verdict yet{shown}; {wait}."))
    return notes


def demotions(contents: Contents) -> list[Note]:
    return [
        Note(row["task_type"], f"{named(row['model_id'])}: {_plain(row['reason'])}.")
        for row in contents.demotions
        if row["is_worse_than_incumbent"]
    ]


def drifts(contents: Contents) -> list[Note]:
    """Models that are getting worse: since when, and from what to what."""
    notes = []
    cells = {(cell["task_type"], cell["model_id"]): cell for cell in contents.days}
    for row in contents.demotions:
        if not row["is_drifting"]:
            continue
        said = f"{named(row['model_id'])} is getting worse, alarm since {row['drifting_since']}"
        cell = cells.get((row["task_type"], row["model_id"]))
        if cell and row["drifting_since"] > cell["first"]:
            at = (date.fromisoformat(row["drifting_since"]) - date.fromisoformat(cell["first"])).days
            before, now = _rate(cell, max(0, at - 35), at - 7), _rate(cell, at, len(cell["trials"]))
            if before and now:
                said += f": {before} in the weeks before, {now} since"
        notes.append(Note(row["task_type"], said + "."))
    return notes


def _rate(cell: dict[str, Any], first: int, end: int) -> str | None:
    trials = sum(cell["trials"][first:end]) if end > first else 0
    return percent(sum(cell["successes"][first:end]) / trials) if trials else None


def trials_worth_making(contents: Contents) -> list[Note]:
    return [Note(row["task_type"], f"{named(row['model_id'])}: {row['reason']}.") for row in contents.candidates]


def doubts(contents: Contents) -> list[Note]:
    """What in the data should not be trusted, the whole first."""
    return [*_of_everything(contents), *(note for task in contents.task_types for note in _of_task(contents, task))]


def _of_everything(contents: Contents) -> Iterator[Note]:
    if contents.rejects:
        lines = sum(row["lines"] for row in contents.rejects)
        first = contents.rejects[0]
        yield Note("", f"{lines:,} faults in refused lines, most of them: {first['reason']} ({first['lines']:,}).")


def _of_task(contents: Contents, task_type: str) -> Iterator[Note]:
    stats, rankings = _of(contents.stats, task_type), _of(contents.rankings, task_type)
    trials = sum(row["trials"] for row in stats)
    if any(row["is_degenerate"] for row in rankings):
        verdict = "succeeded" if rankings[0]["successes"] else "failed"
        yield Note(task_type, f"every trial {verdict}: whoever records it may not tell success from failure.")
    for row in rankings:
        legacy = next(each for each in stats if each["model_id"] == row["model_id"])
        logged = row["trials"] - legacy["legacy_successes"] - legacy["legacy_failures"]
        unpriced = logged - row["priced_trials"]
        if logged and unpriced / logged > UNPRICED_SHARE:
            yield Note(
                task_type,
                f"{named(row['model_id'])}: {unpriced:,} of {logged:,} trials have no price; they are not free.",
            )
        balance = legacy["legacy_successes"] + legacy["legacy_failures"]
        if balance:
            yield Note(
                task_type,
                f"{named(row['model_id'])}: {balance:,} of its trials are an opening balance, without dates or prices.",
            )
        if 0 < row["trials"] < THIN_TRIALS:
            yield Note(task_type, f"{named(row['model_id'])} was tried only {row['trials']:,} times.")
    void = sum(row["infrastructure_failures"] for row in stats)
    if void and void / (void + trials) > VOID_SHARE:
        yield Note(
            task_type, f"{void:,} of {void + trials:,} attempts failed by infrastructure, and count against no model."
        )
    last = max((row["last_used"] for row in stats if row["last_used"]), default=None)
    if (
        last
        and contents.as_of
        and (date.fromisoformat(contents.as_of[:10]) - date.fromisoformat(last[:10])).days > STALE_DAYS
    ):
        yield Note(task_type, f"nothing since {last[:10]}.")


def changes(contents: Contents) -> list[Note]:
    """What the last scheduled run found new."""
    found = contents.changes
    if not found:
        return []
    notes = [
        Note(row["task_type"], f"{named(row['model_id'])} leads" + (
            f", before {named(row['previous_model_id'])}." if row["previous_model_id"] else "."
        ))
        for row in found.get("new_leaders", [])
    ]  # fmt: skip
    notes += [
        Note(
            row["task_type"] or "",
            f"{named(row['challenger_model_id'])} against {named(row['incumbent_model_id'])}: decided.",
        )
        for row in found.get("new_verdicts", [])
    ]
    for name, said in (
        ("new_demotion_candidates", "should lose its place"),
        ("new_ab_test_candidates", "is worth a trial"),
        ("new_drift_alarms", "is getting worse"),
    ):
        notes += [Note(row["task_type"], f"{named(row['model_id'])} {said}.") for row in found.get(name, [])]
    notes += [Note("", f"a new model: {named(name)}.") for name in found.get("new_models", [])]
    notes += [Note("", f"a new task type: {named(name)}.") for name in found.get("new_task_types", [])]
    return notes


def percent(rate: float | None) -> str:
    return "" if rate is None else f"{rate:.1%}"


def points(difference: float | None) -> str:
    return "" if difference is None else f"{difference * 100:+.1f} points"


def dollars(cost: float) -> str:
    """Three digits that count, whatever the size; no exponent."""
    return f"${cost:,.2f}" if cost >= 1 or cost == 0 else f"${cost:.3g}" if cost >= 1e-4 else f"${cost:.7f}".rstrip("0")


def _plain(reason: str) -> str:
    return reason.replace("worse_than_incumbent: ", "worse than the incumbent: ").partition("; drift: ")[0]


def _of(answer: Answer, task_type: str) -> Answer:
    return [row for row in answer if row["task_type"] == task_type]

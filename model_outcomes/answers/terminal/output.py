"""The columns of each answer as a table; JSON and CSV have every column."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from model_outcomes.answers import verdicts
from model_outcomes.answers.queries import Answer
from model_outcomes.answers.terminal import interval_text, screen
from model_outcomes.answers.terminal.interval_text import Interval
from model_outcomes.answers.terminal.tables import (
    Column,
    bounds,
    day,
    dollars,
    drawn,
    integer,
    lost_share,
    name,
    percent,
    picture,
    signed_bounds,
    signed_points,
    table,
    unknown_causes,
)
from model_outcomes.base.console import escaped, printable

DIFFERENCE_WIDTH = 41  # odd, so that zero has a cell
PERIOD = "(since {} UTC; left out: opening balances, and figures of a build, such as rank_best)"
FORMULA_SIGNS = "=+-@\u2212"  # the last is the minus of typographers
GUARDED = ("'", "\t", "\r", "\n")  # the apostrophe itself, and characters that some imports take for the end of a cell

RATE: Sequence[Column] = (
    Column("trials", integer("trials")),
    Column("success", percent("success_rate")),
    Column("lost", lost_share, is_rare=True),
    Column("interval", bounds("success_rate"), is_spare=True),
    drawn("success_rate"),
)
COST = Column("cost", dollars("total_cost"))
UNKNOWN_CAUSES = Column("unknown causes", unknown_causes, is_note=True)

STATS: Sequence[Column] = (
    name("task type", "task_type"),
    name("model", "model_id"),
    *RATE,
    COST,
    Column("last used", day("last_used"), is_spare=True),
    UNKNOWN_CAUSES,
)


def grouped(keys: Sequence[str]) -> Sequence[Column]:
    """Return the columns of STATS by the values of further keys."""
    facts = [name(key, key) for key in keys]
    return (*STATS[:2], *facts, *RATE, Column("tokens", integer("total_tokens"), is_spare=True), COST)


RANKING: Sequence[Column] = (
    Column("rank", integer("rank")),
    name("model", "model_id"),
    Column("state", lambda row: "retired" if row.get("is_retired") else "", is_rare=True),
    *RATE,
    Column("per success", dollars("cost_per_success")),
    Column("last used", day("last_used"), is_spare=True),
    UNKNOWN_CAUSES,
)


def ranking(keys: Sequence[str]) -> Sequence[Column]:
    """Return the columns of RANKING, with those of further keys."""
    if not keys:
        return RANKING
    facts = [name(key, key) for key in keys]
    cost = Column("per success", dollars("cost_per_success"))
    return (*RANKING[:2], *facts, *RATE, cost, Column("last day", day("last_outcome_date"), is_spare=True))


PAIRS: Sequence[Column] = (
    name("model", "model_id"),
    name("rival", "rival_model_id"),
    Column("rival's lead", signed_points("difference")),
    Column("interval", signed_bounds("difference"), is_spare=True),
    Column("in", lambda row: f"{row['strata']:,} {row['strata_name']}" if row["strata_name"] else "", is_spare=True),
    Column("verdict", lambda row: str(row["verdict"]).replace("_", " ")),
)

TRENDS: Sequence[Column] = (
    Column("day", day("outcome_date")),
    name("task type", "task_type"),
    name("model", "model_id"),
    *RATE,
)

RUNS: Sequence[Column] = (
    Column("run", lambda row: printable(row["run_id"])),
    Column("status", lambda row: str(row["status"])),
    Column("exit", integer("exit_code")),
    Column("accepted", integer("accepted_count")),
    Column("rejected", integer("rejected_count")),
    Column("nodes", integer("dbt_node_count"), is_spare=True),
    Column("seconds", lambda row: f"{row['dbt_seconds']:.1f}", is_spare=True),
    Column("message", lambda row: printable(row["message"] or ""), is_note=True),
)

RECOMMENDATIONS: Sequence[Column] = (
    name("task type", "task_type"),
    Column("do", lambda row: str(row["action"]).replace("_", " ")),
    Column("model", lambda row: printable(row["alternative_model_id"] or row["model_id"] or ""), is_name=True),
    Column("instead of", lambda row: printable(_replaced(row) or ""), is_name=True),
    Column("why", lambda row: printable(row["reason"]), is_prose=True),
)

COMPARISON: Sequence[Column] = (
    Column("", lambda row: str(row["arm"])),
    name("model", "model_id"),
    Column("trials", integer("trials")),
    Column("success", percent("success_rate")),
    Column("lost", lost_share, is_rare=True),
    drawn("success_rate"),
    Column("tokens", integer("avg_tokens"), is_spare=True),
    Column("cost", dollars("avg_cost")),
)


def shown(
    answer: Answer, columns: Sequence[Column], output: str | None, level: str = "", *, since: str | None = None
) -> str:
    """Return an answer as JSON or CSV with every column, or without `output` as a table of the main columns. `level`
    is the level of its intervals. `since` is the begin of the period that the answer is about."""
    if output:
        return _for_programs(answer, answer, output)
    shown = table(answer, columns, screen.of_output(), level) if answer else "none"
    return shown if since is None else f"{shown}\n{PERIOD.format(since.removesuffix('.000'))}"


def as_json(answer: Mapping[str, Any]) -> str:
    """Return an answer that is not a table as a JSON object."""
    return _for_programs(dict(answer), [], "json")


def comparison(answer: Mapping[str, Any], arms: Answer, output: str | None, level: str) -> str:
    """Return a comparison of two models as a JSON object, one line of CSV, or a table of both and the difference."""
    if output:
        return _for_programs(answer, [dict(answer)], output)
    return f"{table(arms, COMPARISON, screen.of_output(), level)}\n{_difference(answer, level)}"


def _replaced(row: Mapping[str, Any]) -> str | None:
    """Return the model that the recommended one replaces, or may replace after a trial; None for other actions."""
    replaced: dict[str, str | None] = {"replace": row["incumbent_model_id"], "try": row["model_id"]}
    return replaced.get(row["action"])


def _for_programs(answer: Any, rows: Answer, output: str) -> str:
    terminal = screen.of_output()
    if output == "json":
        return escaped(json.dumps(answer, ensure_ascii=not terminal.is_utf8, indent=2))
    return terminal.writable(escaped(_csv(rows)))


def _difference(answer: Mapping[str, Any], level: str) -> str:
    """Return the difference inside common strata with its verdict, then that of all trials."""
    if answer["naive_difference"] is None:
        return "no difference: a model has no trials"
    naive = Interval(answer["newcombe_lower"], answer["naive_difference"], answer["newcombe_upper"])
    footnote = f"(all trials, valid for one look only: {_points(naive, level)})"
    if answer["difference_lower"] is None:
        return f"no difference: {answer['reason'] or 'nothing tells the arms apart'}\n{footnote}"
    difference = Interval(answer["difference_lower"], answer["difference"], answer["difference_upper"])
    axis = interval_text.differences(difference)
    line = picture(difference, axis, DIFFERENCE_WIDTH, screen.of_output(), has_zero=True)
    lines = [
        f"difference: {_points(difference, level)}, valid at every look",
        f"{axis.first * 100:+.0f} [{line}] {axis.last * 100:+.0f}",
        _compared(answer),
        _verdict(answer),
    ]
    if answer["is_confounded"]:
        lines.append("Caution: all trials together say something else, because conditions differed.")
    return "\n".join([*lines, footnote])


def _points(interval: Interval, level: str) -> str:
    lower, value, upper = (f"{each * 100:+.1f}" for each in (interval.lower, interval.value, interval.upper))
    return f"{value} points, {level} interval {lower} to {upper}"


def _compared(answer: Mapping[str, Any]) -> str:
    """Return which trials the difference is about."""
    trials = " and ".join(f"{answer[f'shared_{arm}_trials']:,}" for arm in ("incumbent", "challenger"))
    if answer["sequential_mode"] == "gbstats":
        return f"compared: all {trials} trials"
    number = answer["strata"]
    units = "one task or day" if number == 1 else f"{number:,} tasks or days"
    return f"compared: {trials} trials, at {units} that both share"


def _verdict(answer: Mapping[str, Any]) -> str:
    if answer["verdict"] == "too_few_trials":
        return "verdict: none, too few trials"
    evidence = f"e-value {_strength(answer['e_value'])}, and a verdict takes {_strength(answer['deciding_e_value'])}"
    arm = verdicts.BETTER_ARMS.get(answer["verdict"])
    return f"verdict: {f'the {arm} is better' if arm else 'none yet'} ({evidence})"


def _strength(e_value: float) -> str:
    """Return an e-value in three digits, without an exponent if it is not very large."""
    return f"{e_value:,.0f}" if 100 <= e_value < 1e6 else f"{e_value:.3g}"


def spreadsheet_safe(value: Any) -> Any:
    """Return a text with an apostrophe before it if a spreadsheet could run it as a formula; other values unchanged.

    Spreadsheets trim a cell first, and read wide and small signs as plain ones. A text that begins with an apostrophe
    gets one more, so that removing the first apostrophe always gives the original text.
    """
    if not isinstance(value, str) or value[:1].isalnum():
        return value
    return f"'{value}" if value.startswith(GUARDED) or _begins_formula(value) else value


def _begins_formula(text: str) -> bool:
    """Return True if the first visible character (no blank, control, format or mark) is a sign of formulas."""
    first = next((character for character in text if unicodedata.category(character)[0] not in "ZCM"), "")
    plain = unicodedata.normalize("NFKC", first)
    return plain != "" and plain[0] in FORMULA_SIGNS


def _csv(answer: Answer) -> str:
    text = io.StringIO()
    if answer:
        writer = csv.DictWriter(text, fieldnames=list(answer[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: spreadsheet_safe(value) for name, value in row.items()} for row in answer)
    return text.getvalue().removesuffix("\n")

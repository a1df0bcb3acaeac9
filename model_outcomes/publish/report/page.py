"""The page: one file that opens without a network and runs only its own scripts.

Names come from outside. Jinja2 escapes them in the text of the page. The charts get them as JSON without `<`, and the
script puts them only where the browser reads text. The Content Security Policy lists the digests of the scripts, so
that no other script can run.
"""

from __future__ import annotations

import base64
import hashlib
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files
from typing import Any

from model_outcomes.answers import caveats, phrases, standings, verdicts
from model_outcomes.base import outputs
from model_outcomes.base.console import printable
from model_outcomes.base.errors import expect_installed
from model_outcomes.publish.report import advice, notes
from model_outcomes.publish.report.content import Contents

PAGE = "report"  # the kind of page that the mark in the page names
BUNDLE = "window.vegaEmbed = vegaEmbed;"
LIBRARIES = ("altair", "jinja2", "vl_convert")


def expect_possible() -> None:
    """Raise NotInstalledError if a library of the report is missing."""
    expect_installed("report", *LIBRARIES)


def render(contents: Contents, now: datetime) -> str:
    """Return the page as text; `now` is the time of writing that it shows (UTC)."""
    expect_possible()
    import altair
    import jinja2
    import vl_convert

    from model_outcomes.publish.report import charts

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("model_outcomes.publish.report", "page"),
        autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    environment.filters |= {"named": phrases.named, "counted": phrases.counted, "thousands": "{:,}".format}
    vega_lite = altair.SCHEMA_VERSION.removeprefix("v").rpartition(".")[0]
    bundle = vl_convert.javascript_bundle(BUNDLE, vl_version=vega_lite)
    # Both are the same in a string of JavaScript, but the first would end the script element.
    scripts = [script.replace("</script", "<\\/script") for script in (bundle, _file("page.js"))]
    return environment.get_template("page.html").render(
        generator=outputs.mark(PAGE),
        policy=_policy(scripts),
        style=standings.variables() + _file("page.css"),
        scripts=scripts,
        contents=contents,
        advice=advice,
        notes=notes,
        caveats=[*_stale(contents, now), *contents.caveats],
        remarks=_remarks(contents),
        task_numbers={name: number for number, name in enumerate(contents.task_types)},
        written_at=f"{now:%Y-%m-%d %H:%M}",
        payload={"specs": charts.specs(), "states": standings.WORDS, "z": contents.settings.z, "data": _data(contents)},
    )


def _policy(scripts: list[str]) -> str:
    """Return a policy that loads nothing and runs only these scripts. Vega sets inline styles on what it draws."""
    digests = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    rest = "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    return f"default-src 'none'; script-src {digests}; {rest}"


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _file(name: str) -> str:
    return (files("model_outcomes.publish.report") / "page" / name).read_text(encoding="utf-8")


def _data(contents: Contents) -> dict[str, Any]:
    """Return the data of the charts in a short form: names as indexes into lists, days as rows of counts."""
    task_types, models = contents.task_types, contents.models
    task_index = {name: number for number, name in enumerate(task_types)}
    model_index = {name: number for number, name in enumerate(models)}
    days: dict[str, list[list[Any]]] = defaultdict(list)
    for day in contents.comparison_days:
        days[day["experiment_id"]].append(_comparison_day(day))
    for row in contents.comparisons:
        if not days[row["experiment_id"]] and row["difference"] is not None and contents.as_of:
            # The first day of a comparison is not in the mart until it is over.
            days[row["experiment_id"]].append(_comparison_day({**row, "outcome_date": contents.as_of[:10]}))
    return {
        "taskTypes": [printable(name) for name in task_types],
        "models": [printable(name) for name in models],
        "rankings": [
            [task_index[row["task_type"]], model_index[row["model_id"]], row["rank"],
             list(standings.STANDINGS).index(row["standing"]), row["trials"],
             row["infrastructure_failures"], row["has_many_lost_attempts"],
             *(_short(row[name]) for name in ("success_rate", "success_rate_lower", "success_rate_upper",
                                              "probability_best", "cost_per_success"))]
            for row in contents.rankings
        ],
        "days": [
            [task_index[cell["task_type"]], model_index[cell["model_id"]], cell["first"],
             cell["trials"], cell["successes"], cell["alarms"]]
            for cell in contents.days
        ],
        "comparisons": [
            [*map(printable, (row["experiment_id"], row["incumbent_model_id"], row["challenger_model_id"])),
             task_index.get(row["task_type"]),
             row["first_decided_at"] if row["verdict"] in verdicts.BETTER_ARMS else None,
             days[row["experiment_id"]]]
            for row in contents.comparisons
        ],
    }  # fmt: skip


def _comparison_day(day: dict[str, Any]) -> list[Any]:
    """Return the day, the difference of a comparison on it, and the bounds of the difference."""
    return [day["outcome_date"], *map(_short, (day["difference"], day["difference_lower"], day["difference_upper"]))]


def _stale(contents: Contents, now: datetime) -> Iterator[caveats.Caveat]:
    return caveats.stale(contents.as_of, now) if contents.as_of else iter(())


def _remarks(contents: Contents) -> dict[str, dict[str, list[str]]]:
    """Return by task type and model what else its success rate depends on: lost attempts and unknown causes."""
    remarks: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for row in contents.stats:
        own = remarks[row["task_type"]][row["model_id"]]
        if failures := row["infrastructure_failures"]:
            own.append(f"{failures:,} of {row['trials'] + failures:,} attempts lost")
        if row["unknown_failures"]:
            own.append(phrases.unknown_causes(row))
    return remarks


def _short(value: float | None) -> float | None:
    """Return a number rounded to five significant digits, since a chart shows no more."""
    return None if value is None else float(f"{value:.5g}")

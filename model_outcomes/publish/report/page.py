"""The page: everything in one file, which opens without a network and lets nothing run but what it holds.

Names come from outside. In the page's own text Jinja2 escapes them; for the charts they are JSON in which
no `<` is left, and the script only ever puts them where the browser takes them for text. The Content
Security Policy names the digests of the scripts, so that nothing else could run even so.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from importlib.resources import files
from typing import Any

from model_outcomes.answers import caveats, phrases, standings
from model_outcomes.base import outputs
from model_outcomes.base.console import printable
from model_outcomes.base.errors import NotInstalledError
from model_outcomes.publish.report import advice
from model_outcomes.publish.report.content import Contents

PAGE = "report"  # the kind of page, in its mark
BUNDLE = "window.vegaEmbed = vegaEmbed;"
LIBRARIES = ("altair", "jinja2", "vl_convert")


def is_possible() -> bool:
    """Return whether the extra `report` is installed."""
    return all(importlib.util.find_spec(name) for name in LIBRARIES)


def expect_possible() -> None:
    """Raise NotInstalledError if a library of the report is missing."""
    if not is_possible():
        raise NotInstalledError("what the report needs", "report")


def render(contents: Contents, now: datetime) -> str:
    """Return the page as text; `now` (UTC) is when it says that it was written."""
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
    # Within a string of JavaScript both are the same; within a page only one of them ends the script.
    scripts = [script.replace("</script", "<\\/script") for script in (bundle, _file("page.js"))]
    return environment.get_template("page.html").render(
        generator=outputs.mark(PAGE),
        policy=_policy(scripts),
        style=standings.variables() + _file("page.css"),
        scripts=scripts,
        contents=contents,
        advice=advice,
        caveats=[*_stale(contents, now), *contents.caveats],
        lost=_lost(contents),
        task_numbers={name: number for number, name in enumerate(contents.task_types)},
        written_at=f"{now:%Y-%m-%d %H:%M}",
        payload={"specs": charts.specs(), "states": standings.WORDS, "z": contents.settings.z, "data": _data(contents)},
    )


def _policy(scripts: list[str]) -> str:
    """Nothing from anywhere, no script but these; Vega sets styles on what it draws, one by one."""
    digests = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    rest = "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    return f"default-src 'none'; script-src {digests}; {rest}"


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


def _file(name: str) -> str:
    return (files("model_outcomes.publish.report") / "page" / name).read_text(encoding="utf-8")


def _data(contents: Contents) -> dict[str, Any]:
    """Return what the charts draw, each figure once: names as numbers into lists, days as rows of counts."""
    task_types, models = contents.task_types, contents.models
    task_index = {name: number for number, name in enumerate(task_types)}
    model_index = {name: number for number, name in enumerate(models)}
    looks: dict[str, list[list[Any]]] = defaultdict(list)
    for day in contents.comparison_days:
        looks[day["experiment_id"]].append(_looked(day))
    for row in contents.comparisons:
        if not looks[row["experiment_id"]] and row["difference"] is not None and contents.as_of:
            # Its first day is not over, and no verdict rests on it yet.
            looks[row["experiment_id"]].append(_looked({**row, "outcome_date": contents.as_of[:10]}))
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
             task_index.get(row["task_type"]), row["first_decided_at"] if row["verdict"] in advice.DECIDED else None,
             looks[row["experiment_id"]]]
            for row in contents.comparisons
        ],
    }  # fmt: skip


def _looked(day: dict[str, Any]) -> list[Any]:
    """Return what a comparison said on a day: the day, the difference and its bounds."""
    return [day["outcome_date"], *map(_short, (day["difference"], day["difference_lower"], day["difference_upper"]))]


def _stale(contents: Contents, now: datetime) -> Iterator[caveats.Caveat]:
    return caveats.stale(contents.as_of, now) if contents.as_of else iter(())


def _lost(contents: Contents) -> dict[str, dict[str, str]]:
    """Return in words how many attempts were lost, by task type and model, of those that lost any."""
    lost: dict[str, dict[str, str]] = defaultdict(dict)
    for row in contents.stats:
        if failures := row["infrastructure_failures"]:
            said = f"{failures:,} of {row['trials'] + failures:,} attempts lost"
            lost[row["task_type"]][row["model_id"]] = said
    return lost


def _short(value: float | None) -> float | None:
    """Return a number with as many digits as a chart can show."""
    return None if value is None else float(f"{value:.5g}")

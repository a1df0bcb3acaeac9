"""Thresholds that a user changed: all that shows or uses one agrees with the build. Expected figures are scipy's,
statsmodels' and the formula of the anytime-valid boundary in NumPy."""

import asyncio
import html
import json
import os
import re
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import yaml
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint

from model_outcomes import ModelOutcomes
from model_outcomes.base import dbt_vars, settings
from model_outcomes.base.errors import OutcomesError

from ..conftest import with_dbt
from ..warehouse import strata
from .conftest import PROJECT, Site, ago, lines, outcome

ALPHA, MIN_SAMPLES, MIN_TRIALS, DAYS = 0.2, 5, 40, 20
# Successes and trials by model. The leader is decided against the incumbent at 80 %, and would not be at 95 %.
CELLS = {"leader": (74, 100), "incumbent": (70, 140), "thin": (20, 35), "few": (4, 4)}
SETTINGS = f"""
[vars]
alpha = {ALPHA}
min_samples = {MIN_SAMPLES}
min_trials_per_arm = {MIN_TRIALS}
high_confidence_trials = 50
min_exported_outcomes = 101
"""


def verdicts(model_id: str) -> list[int]:
    """Return the verdicts of a model's attempts: the days, which take turns, have about the same rate."""
    successes, trials = CELLS[model_id]
    return [int(attempt * 11 % trials < successes) for attempt in range(trials)]


@pytest.fixture(scope="module")
@with_dbt
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A log built by a run with the settings above, and published with a report."""
    site = Site(tmp_path_factory.mktemp("thresholds"))
    (site.folder / "outcomes.toml").write_text(SETTINGS)
    outcomes = [
        outcome(
            model_id=model_id,
            success=bool(is_success),
            cost_usd=0.01 * (attempt % 3 + 1),
            timestamp=ago(days=9 + attempt % DAYS),
        )
        for model_id in CELLS
        for attempt, is_success in enumerate(verdicts(model_id))
    ]
    site.put("outcomes.jsonl", lines(outcomes))
    site.run(OUTCOMES_REPORT="yes")
    return site


@pytest.fixture(scope="module")
def page(site: Site) -> str:
    return html.unescape((site.published / "report.html").read_text())


def wilson(model_id: str) -> Any:
    return pytest.approx(proportion_confint(*CELLS[model_id], alpha=ALPHA, method="wilson"), abs=1e-12)


def test_rank_and_stats_have_the_intervals_and_models_of_the_build(site: Site) -> None:
    for command in ("rank", "stats"):
        rows = {row["model_id"]: row for row in json.loads(site.loader(command, "code", "--json").stdout)}
        assert set(rows) == set(CELLS) - ({"few"} if command == "rank" else set())
        for model_id, row in rows.items():
            assert (row["success_rate_lower"], row["success_rate_upper"]) == wilson(model_id)
        table = site.loader(command, "code").stdout
        assert "80 %" in table.splitlines()[0]
        assert "95 %" not in table
    assert {
        row["model_id"] for row in json.loads(site.loader("rank", "code", "--json", "--min-samples", "4").stdout)
    } == set(CELLS)


def test_python_ranks_the_models_of_the_build(site: Site) -> None:
    with ModelOutcomes(site.database) as outcomes:
        ranked = outcomes.ranked_models("code")
    assert [model.model_id for model in ranked] == ["leader", "thin", "incumbent"]
    assert (ranked[0].success_rate_lower, ranked[0].success_rate_upper) == wilson("leader")


def test_marts_of_log_and_snapshot_agree(site: Site) -> None:
    query = (
        "select model_id, success_rate_lower, success_rate_upper, is_eligible, is_too_little_tried from model_rankings"
    )
    for path in (site.database, site.published / "model_outcomes.db"):
        rows = {row[0]: row[1:] for row in site.query(query, path=path)}
        for model_id, (*bounds, is_eligible, is_thin) in rows.items():
            assert tuple(bounds) == wilson(model_id)
            assert (is_eligible, is_thin) == (CELLS[model_id][1] >= MIN_SAMPLES, CELLS[model_id][1] < MIN_TRIALS)
        assert dict(site.query("select name, numeric_value from build_settings", path=path)) == pytest.approx(
            {**shipped_numbers(), "alpha": ALPHA, "z": stats.norm.isf(ALPHA / 2), "min_samples": MIN_SAMPLES,
             "min_trials_per_arm": MIN_TRIALS, "high_confidence_trials": 50, "min_exported_outcomes": 101},
            abs=1e-15, nan_ok=True,
        )  # fmt: skip


def shipped_numbers() -> dict[str, float | None]:
    """Return the numbers of dbt_project.yml; None for texts."""
    shipped = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]
    shipped["sequential_tuning_trials"] = shipped["sequential_tuning_trials"]["default"]
    return {name: None if isinstance(value, str) else value for name, value in shipped.items()}


def test_cost_intervals_have_the_level(site: Site) -> None:
    ((cost, lower, upper),) = site.query(
        "select cost_per_success, cost_per_success_lower, cost_per_success_upper from model_stats"
        " where model_id = 'leader'"
    )
    costs, successes = np.array([0.01 * (n % 3 + 1) for n in range(100)]), np.array(verdicts("leader"))
    ratio = costs.sum() / 74
    error = np.sqrt(100 * ((costs - ratio * successes) ** 2).sum() / 99) / 74
    width = stats.t.isf(ALPHA / 2, 73) * error / ratio
    assert (cost, lower, upper) == pytest.approx((ratio, ratio * np.exp(-width), ratio * np.exp(width)), abs=1e-12)


def test_compare_has_the_level(site: Site) -> None:
    arguments = ("compare", "incumbent", "leader", "--task-type", "code")
    answer = json.loads(site.loader(*arguments, "--json").stdout)
    bounds = confint_proportions_2indep(
        *CELLS["leader"], *CELLS["incumbent"], compare="diff", method="newcomb", alpha=ALPHA, correction=False
    )
    assert (answer["newcombe_lower"], answer["newcombe_upper"]) == pytest.approx(bounds, abs=1e-12)
    table = site.loader(*arguments).stdout
    assert table.count("80 %") == 3
    assert "95 %" not in table


def half_width(alpha: float, pairs: int) -> float:
    """Return the half width of leader against incumbent inside the days: Waudby-Smith et al., arXiv 2103.06476,
    tightest at 1,000 trials, at `alpha` shared among pairs of models."""
    tuning = 1000 / (np.log(1 - 2 * np.log(alpha)) - 2 * np.log(alpha))
    days = [
        {"task_type": "code", "model_id": model_id, "success": is_success, "day": attempt % DAYS}
        for model_id in ("incumbent", "leader")
        for attempt, is_success in enumerate(verdicts(model_id))
    ]
    figures = strata.figures(strata.strata(days, "incumbent", "leader", set()))
    assert figures["difference"] == pytest.approx(0.24)
    n, squared_error = len(days), figures["squared_error"]
    return float(np.sqrt(squared_error * (n + tuning) / n * np.log((n + tuning) / (tuning * (alpha / pairs) ** 2))))


def test_decisions_are_made_at_the_level(site: Site) -> None:
    ((verdict, lower, upper, deciding),) = site.query(
        "select verdict, difference_lower, difference_upper, deciding_e_value from ab_comparisons where is_declared = 0"
    )
    width = half_width(ALPHA, pairs=3)  # three models are eligible
    assert width < 0.24 < half_width(0.05, pairs=3)
    assert (lower, upper) == pytest.approx((0.24 - width, 0.24 + width), abs=1e-12)
    assert (verdict, deciding) == ("challenger_better", pytest.approx(3 / ALPHA))


def test_the_report_says_the_level_and_draws_at_it(page: str) -> None:
    assert page.count("80 %") == 3
    assert "95 %" not in re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    payload = json.loads(re.findall(r'id="payload">(.*?)</script>', page, re.DOTALL)[0])
    assert payload["z"] == pytest.approx(stats.norm.isf(ALPHA / 2), abs=1e-15)
    assert f"fewer than {MIN_TRIALS} trials" in page
    assert "fewer than 30 trials" not in page


def test_the_explorer_says_the_level(site: Site) -> None:
    from model_outcomes.publish import explorer

    async def ask() -> tuple[str, list[dict[str, Any]]]:
        datasette = explorer.explorer(site.published / "model_outcomes.db")
        await datasette.invoke_startup()
        try:
            dashboard = await datasette.client.get("/-/dashboards/outcomes?task_type=code")
            export = await datasette.client.get("/model_outcomes/high_confidence_export.json?_shape=array")
            return html.unescape(dashboard.text), export.json()
        finally:
            datasette.executor.shutdown()
            datasette.get_database("model_outcomes").close()

    dashboard, export = asyncio.run(ask())
    assert dashboard.count("80 % interval") >= 2
    assert "95 %" not in dashboard
    assert [row["model_id"] for row in export] == ["leader", "incumbent"]


def test_an_export_to_others_holds_back_what_the_build_does(site: Site) -> None:
    until = ago(days=5)[:10]
    said = site.loader("export-federated", "-o", "-", "--until", until).stderr
    assert "held back: 3 cells with fewer than 101 outcomes" in said


def test_a_selection_is_not_built_with_other_vars_than_the_rest(site: Site) -> None:
    for part in ("--select", "--exclude"):
        refused = site.loader("build", "--vars", "alpha: 0.1", part, "model_stats", exits=2)
        assert refused.stderr == (
            "Error: alpha was 0.2 in the last build and is 0.1 now: build all, without --select or --exclude\n"
        )
    assert site.query("select value from build_settings where name = 'alpha'") == [("0.2",)]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("alpah: 0.1", f"there is no var alpah; there are {', '.join(dbt_vars.TYPES)}"),
        ("alpha: 0.7", "alpha: expected float <= 0.5: 0.7"),
        ("alpha: high", "alpha: expected float, got str: 'high'"),
        ("min_samples: 2.5", "min_samples: expected int, got float: 2.5"),
        ("sequential_mode: fast", "sequential_mode: invalid enum value 'fast': 'fast'"),
        ("min_exported_outcomes: 9", "min_exported_outcomes: expected int >= 10: 9"),
        ("now: tomorrow", "now: expected a time in UTC, such as 2026-01-31T12:00:00Z: 'tomorrow'"),
    ],
)
def test_a_wrong_var_is_one_line(given: str, message: str, tmp_path: Path) -> None:
    site = Site(tmp_path)
    option = site.loader("build", "--vars", given, exits=2).stderr
    assert option.splitlines()[-1] == f"Error: Invalid value for '--vars': {message}"
    name, value = given.split(": ")
    (site.folder / "outcomes.toml").write_text(f"[vars]\n{name} = {json.dumps(yaml.safe_load(value))}\n")
    assert site.loader("run", exits=2).stderr == f"Error: {site.folder / 'outcomes.toml'}: vars: {message}\n"
    assert not site.database.exists()


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("now: 2026-11-28T12:00:00Z", "2026-11-28T12:00:00Z"),
        ("{now: 2026-11-28}", "2026-11-28"),
        ("now:", ""),
        ("min_samples: 010", 10),
        ("min_samples: 1e3", 1000),
        ("min_samples: +5", 5),
        ("max_trials_to_separate: 1_000", 1000),
        ("alpha: .1", 0.1),
        ("alpha: 1e-3", 0.001),
        ('alpha: "0.1"', 0.1),
        ("sequential_tuning_trials: {default: 20, gbstats: 010}", {"default": 20, "gbstats": 10}),
    ],
)
def test_a_var_is_what_its_text_says(text: str, value: object) -> None:
    assert list(dbt_vars.from_yaml(text).values()) == [value]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("alpha: yes", "alpha: expected float, got str: 'yes'"),
        ("min_samples: null", "min_samples: expected int, got str: 'null'"),
        ("sequential_mode: no", "sequential_mode: invalid enum value 'no': 'no'"),
        ("traffic_alarm_e_value: inf", "traffic_alarm_e_value: expected a finite number: inf"),
        ("now: 2026-11-31", "now: expected a time in UTC, such as 2026-01-31T12:00:00Z: '2026-11-31'"),
        ("now: 12:00", "now: expected a time in UTC, such as 2026-01-31T12:00:00Z: '12:00'"),
    ],
)
def test_a_text_that_is_no_value_of_its_var_is_refused(text: str, message: str) -> None:
    with pytest.raises(OutcomesError) as refused:
        dbt_vars.from_yaml(text)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("2026-11-28T12:00:00Z", "2026-11-28T12:00:00Z"),
        ("2026-11-28 12:00:00", "2026-11-28T12:00:00"),
        ("2026-11-28", "2026-11-28"),
        ('"2026-11-28"', "2026-11-28"),
    ],
)
def test_the_settings_take_a_date_of_toml(
    value: str, text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "outcomes.toml").write_text(f"[vars]\nnow = {value}\n")
    monkeypatch.setenv("OUTCOMES_CONFIG", str(tmp_path / "outcomes.toml"))
    monkeypatch.setenv("OUTCOMES_VARS", "")
    settings.adopt()
    assert json.loads(os.environ["OUTCOMES_VARS"]) == {"now": text}


def test_vars_that_are_no_mapping_are_refused(tmp_path: Path) -> None:
    refused = Site(tmp_path).loader("build", "--vars", "alpha:0.1", exits=2).stderr
    assert "expected NAME: VALUE, such as 'alpha: 0.1', and not 'alpha:0.1'" in refused
    refused = Site(tmp_path).loader("build", exits=2, OUTCOMES_VARS="alpha").stderr
    assert refused == 'Error: OUTCOMES_VARS: expected a JSON object, such as {"alpha": 0.1}\n'


def test_the_library_knows_the_vars_of_the_dbt_project() -> None:
    shipped = yaml.safe_load((PROJECT / "dbt_project.yml").read_text())["vars"]
    assert msgspec.to_builtins(dbt_vars.DbtVars()) == shipped
    assert dbt_vars.checked(shipped) == shipped


def test_dbt_reads_a_small_number_as_a_number() -> None:
    assert yaml.safe_load(dbt_vars.as_yaml({"alpha": 1e-7})) == {"alpha": 1e-7}

"""The vars of the dbt project that a user may change: their names, types, ranges and default values.

dbt_project.yml explains each var, and a test compares the values. A build writes its values into build_settings.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from model_outcomes.base.errors import OutcomesError

VARIABLE = "OUTCOMES_VARS"  # of the environment: a JSON object of vars
EXPECTED_NOW = "expected a time in UTC, such as 2026-01-31T12:00:00Z"
LEAST_EXPORTED = 10  # outcomes: no smaller cell is ever exported; settings cannot lower this

Count = Annotated[int, Meta(ge=1)]
Size = Annotated[int, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Inside = Annotated[float, Meta(gt=0, lt=1)]


class TuningTrials(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Trials of both arms at which the anytime-valid boundary is tightest, by mode."""

    default: Count
    gbstats: Count


class DbtVars(msgspec.Struct, frozen=True, kw_only=True):
    """The vars with their default values."""

    now: Annotated[str, Meta(pattern=r"^(\d{4}-\d\d-\d\d(T[\d:.]+Z?)?)?\Z")] = ""
    alpha: Annotated[float, Meta(ge=1e-9, le=0.5)] = 0.05
    sequential_mode: Literal["default", "gbstats"] = "default"
    sequential_tuning_trials: TuningTrials = TuningTrials(1000, 5000)
    min_trials_per_arm: Count = 30
    min_strata: Annotated[int, Meta(ge=2)] = 10
    min_strata_per_log_pair: Annotated[float, Meta(ge=0)] = 5
    min_shared_tasks: Annotated[int, Meta(ge=2)] = 30
    min_shared_task_share: Annotated[float, Meta(gt=0, le=1)] = 0.1
    max_trials_to_separate: Count = 10_000_000
    traffic_alarm_e_value: Annotated[float, Meta(ge=1)] = 1000
    min_samples: Count = 3
    high_confidence_trials: Count = 10
    failure_rate_threshold: Share = 0.2
    grid_points: Annotated[int, Meta(ge=2, le=40_000)] = 2000
    max_compared_profiles: Count = 500
    max_paired_configurations: Annotated[int, Meta(ge=2)] = 100
    max_ranked_models: Count = 500
    degenerate_min_trials: Count = 100
    degenerate_min_models: Count = 3
    lost_share_caveat: Share = 0.2
    lost_attempts_caveat: Count = 10
    incumbent_days: Count = 30
    incumbent_share: Share = 0.5
    min_alternative_probability: Share = 0.05
    retired_after_days: Count = 90
    demotion_margin: Share = 0
    cusum_drop: Inside = 0.1
    cusum_min_trials: Count = 30
    cusum_baseline_first_day: Count = 35
    cusum_baseline_last_day: Count = 8
    cusum_lowest_baseline: Inside = 0.02
    cusum_highest_baseline: Inside = 0.99
    cusum_lowest_target: Inside = 0.01
    cusum_horizon_days: Count = 365
    min_exported_outcomes: Annotated[int, Meta(ge=LEAST_EXPORTED)] = 10
    few_projects: Size = 5
    max_prior_strength: Annotated[float, Meta(ge=1)] = 20


TYPES = {field.name: field.type for field in msgspec.structs.fields(DbtVars)}


def checked(vars: Mapping[str, Any]) -> dict[str, Any]:
    """Return the vars as plain values of their types. Raises OutcomesError, which names the var and what it allows."""
    values = {}
    for name, value in vars.items():
        if name not in TYPES:
            raise OutcomesError(f"there is no var {name}; there are {', '.join(TYPES)}")
        plain_value = msgspec.to_builtins(value)  # the dates of TOML become text
        try:
            values[name] = msgspec.to_builtins(msgspec.convert(plain_value, TYPES[name], strict=False))
            if name == "now" and plain_value:
                msgspec.convert(plain_value[:10], date)
        except msgspec.ValidationError as fault:
            problem = str(fault).replace("`", "").replace(" - at $.", " at ")
            expected = EXPECTED_NOW if name == "now" else problem[:1].lower() + problem[1:]
            raise OutcomesError(f"{name}: {expected}: {plain_value!r}") from None
        if isinstance(values[name], float) and not math.isfinite(values[name]):
            raise OutcomesError(f"{name}: expected a finite number: {plain_value!r}")
    return values


def from_json(text: str | None) -> dict[str, Any]:
    """Return the vars of a JSON object, such as the value of the variable `VARIABLE`. Raises OutcomesError."""
    try:
        return checked(msgspec.json.decode(text, type=dict[str, Any])) if text else {}
    except msgspec.DecodeError:
        raise OutcomesError(f'{VARIABLE}: expected a JSON object, such as {{"alpha": 0.1}}') from None


def from_yaml(text: str) -> dict[str, Any]:
    """Return the vars of a YAML mapping, the form that dbt reads: `alpha: 0.1`. Raises OutcomesError.

    YAML would read some texts as values that nobody means: a time as an object, `yes` as true, `010` as 8. So all
    values are read as text, and each var decides what its text means.
    """
    import yaml

    try:
        texts = msgspec.convert(yaml.load(text, yaml.BaseLoader), dict[str, Any])
    except (msgspec.ValidationError, yaml.YAMLError):
        raise OutcomesError(f"expected NAME: VALUE, such as 'alpha: 0.1', and not {text!r}") from None
    return checked(_numbers(texts))


def _numbers(value: Any) -> Any:
    """Return a value of YAML with its numbers as such, in every form that YAML has: `.1`, `+5`, `1_000`."""
    if isinstance(value, dict):
        return {name: _numbers(text) for name, text in value.items()}
    for kind in (int, float):
        with suppress(TypeError, ValueError):
            return kind(value)
    return value


def as_json(values: Mapping[str, Any]) -> str:
    """Return the vars as a JSON object, the form that `from_json` reads."""
    return json.dumps(values)


def as_yaml(values: Mapping[str, Any]) -> str:
    """Return the vars as YAML for dbt's option. dbt's YAML reads 1e-07 as text, and 1.0e-07 as a number."""
    return msgspec.yaml.encode(values).decode()

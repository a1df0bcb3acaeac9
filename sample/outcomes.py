"""Outcomes drawn from the world: one stream a day, the same for the same day every time.

Only `Random.random` is drawn from, which gives the same numbers on every Python.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta, timezone
from random import Random
from typing import Any

from sample import world

Outcome = dict[str, Any]


def agents_log(last_day: date) -> Iterator[Outcome]:
    """What the agents recorded over the world's days up to `last_day`, in order of time."""
    for day in range(world.DAYS):
        random = Random(f"{world.SEED}/{day}")
        drawn = [_attempt(random, day) for _ in range(_about(random, world.ATTEMPTS_PER_DAY))]
        if day >= world.DAYS - world.TRIAL.days:
            drawn += [_trial(random) for _ in range(world.TRIAL.attempts_per_day)]
        moments = sorted(_moment(random, _date(last_day, day)) for _ in drawn)
        for number, (outcome, moment) in enumerate(zip(drawn, moments, strict=True)):
            yield {"event_id": f"sample-{day:02}-{number:03}", **outcome, "timestamp": moment}


def evaluation(last_day: date) -> Iterator[Outcome]:
    """The evaluation: each task tried by both models, with its `task_id`; no event_ids."""
    about = world.EVALUATION
    random = Random(f"{world.SEED}/evaluation")
    for number in range(about.tasks):
        # A hard task is hard for both: the same push, up or down, for the two of them.
        push = 0.3 * (random.random() - 0.5)
        for model in about.models:
            rate = world.TASKS[about.task_type].success_rates[model] + push
            outcome = _outcome(random, about.task_type, model, random.random() < rate)
            moment = _moment(random, _date(last_day, about.day))
            yield {"task_id": f"evaluation-{number:03}", "recorded_by": "evaluation", **outcome, "timestamp": moment}


def _attempt(random: Random, day: int) -> Outcome:
    task_type = _pick(random, {name: task.traffic for name, task in world.TASKS.items()})
    rates = world.TASKS[task_type].success_rates
    model = _pick(random, {name: world.MODELS[name].traffic for name in rates})
    agent = _pick(random, dict.fromkeys(world.AGENTS, 1))
    rate = rates[model]
    if (model, task_type) == (world.REGRESSED_MODEL, world.REGRESSED_TASK) and day >= world.REGRESSED_FROM:
        rate = world.REGRESSED_RATE
    is_out = world.MODELS[model].provider == world.OUTAGE_PROVIDER and day in world.OUTAGE_DAYS
    fate, luck = random.random(), random.random()
    if is_out and fate < world.OUTAGE_RATE:
        outcome = _unreached(task_type, model, "provider_unavailable")
    elif fate < world.RATE_LIMITED_RATE:
        outcome = _unreached(task_type, model, "rate_limited")
    else:
        outcome = _outcome(random, task_type, model, luck < rate)
    return {**outcome, "model_id": world.NAMES.get((model, agent), model), "recorded_by": agent}


def _trial(random: Random) -> Outcome:
    about = world.TRIAL
    is_challenger = random.random() < 0.5
    model = about.challenger if is_challenger else about.incumbent
    rate = about.challenger_rate if is_challenger else about.incumbent_rate
    outcome = _outcome(random, about.task_type, model, random.random() < rate)
    return {**outcome, "experiment_id": about.experiment_id, "recorded_by": "ci"}


def _outcome(random: Random, task_type: str, model: str, success: bool) -> Outcome:
    """An attempt that reached its model: with tokens and, mostly, a cost."""
    task, prices = world.TASKS[task_type], world.MODELS[model]
    input_tokens, output_tokens = _about(random, task.input_tokens), _about(random, task.output_tokens)
    error_type = None if success else _pick(random, world.FAILURES[task_type])
    cost = None
    if random.random() >= world.UNPRICED_RATE and prices.input_price and prices.output_price:
        cost = round((input_tokens * prices.input_price + output_tokens * prices.output_price) / 1e6, 6)
    return {
        "task_type": task_type,
        "model_id": model,
        "success": success,
        "timeout": error_type == "timeout",
        "input_tokens": input_tokens,
        "output_tokens": output_tokens,
        "duration_ms": 600_000 if error_type == "timeout" else 20 * output_tokens + _about(random, 4_000),
        "cost_usd": cost,
        "error_type": error_type,
    }


def _unreached(task_type: str, model: str, error_type: str) -> Outcome:
    return {"task_type": task_type, "model_id": model, "success": False, "cost_usd": 0, "error_type": error_type}


def _pick(random: Random, weights: Mapping[str, float]) -> str:
    """One of the names, as often as it weighs."""
    left = random.random() * sum(weights.values())
    for name, weight in weights.items():
        left -= weight
        if left < 0:
            return name
    return name


def _about(random: Random, mean: int) -> int:
    """A whole number within a half of `mean`, most often near it."""
    return int(mean * (0.5 + (random.random() + random.random()) / 2))


def _date(last_day: date, day: int) -> date:
    return last_day - timedelta(days=world.DAYS - 1 - day)


def _moment(random: Random, day: date) -> str:
    midnight = datetime(day.year, day.month, day.day, tzinfo=timezone.utc)
    return (midnight + timedelta(seconds=int(random.random() * 86_400))).isoformat().replace("+00:00", "Z")

"""The invented world behind the sample: who the models are, how good they are, and what happened.

The warehouse sees none of this, only outcomes drawn from it. What it says of them can therefore
be held against the truth.
"""

from __future__ import annotations

from typing import NamedTuple

SEED = 7
DAYS = 90
ATTEMPTS_PER_DAY = 210


class Model(NamedTuple):
    """A model and its prices in US dollars per million tokens; None where nobody knows them."""

    provider: str
    traffic: float
    input_price: float | None
    output_price: float | None


MODELS = {
    "aurora-large": Model("aurora", 5, 3.00, 15.00),
    "aurora-small": Model("aurora", 4, 0.80, 4.00),
    "cirrus-pro": Model("cirrus", 5, 2.50, 10.00),
    "cirrus-mini": Model("cirrus", 3, 0.25, 1.00),
    "dune-coder": Model("dune", 2, 0.60, 2.40),
    "ember-base": Model("ember", 1, None, None),
}

# What each agent calls a model; the seed model_aliases brings the names together again.
AGENTS = ("editor", "nightly", "ci")
NAMES = {
    ("aurora-large", "nightly"): "aurora-large-latest",
    ("aurora-large", "ci"): "aurora-large-2026-04-02",
    ("cirrus-mini", "nightly"): "openhub/cirrus-mini",
}


class Task(NamedTuple):
    """A task type: its share of the traffic, the tokens that an attempt takes on average, and
    how likely each model is to succeed."""

    traffic: float
    input_tokens: int
    output_tokens: int
    success_rates: dict[str, float]


TASKS = {
    "edit_code": Task(4, 18_000, 2_400, {
        "aurora-large": 0.86, "cirrus-pro": 0.855, "dune-coder": 0.80,
        "aurora-small": 0.74, "cirrus-mini": 0.62, "ember-base": 0.50,
    }),
    "fix_tests": Task(3, 42_000, 5_200, {
        "aurora-large": 0.74, "cirrus-pro": 0.70, "aurora-small": 0.60,
        "cirrus-mini": 0.42, "ember-base": 0.30,
    }),
    "review_code": Task(2, 25_000, 1_100, {
        "cirrus-pro": 0.88, "aurora-large": 0.85, "aurora-small": 0.76,
        "cirrus-mini": 0.66, "ember-base": 0.58, "dune-coder": 0.55,
    }),
    "write_docs": Task(1, 9_000, 1_800, {
        "aurora-large": 0.95, "cirrus-pro": 0.94, "aurora-small": 0.93,
        "cirrus-mini": 0.90, "dune-coder": 0.85, "ember-base": 0.78,
    }),
}  # fmt: skip

# A model that got worse at one task type from one day on.
REGRESSED_MODEL, REGRESSED_TASK = "cirrus-pro", "review_code"
REGRESSED_RATE = 0.70
REGRESSED_FROM = DAYS - 21

# Two days on which most attempts never reached one provider's models.
OUTAGE_PROVIDER = "aurora"
OUTAGE_DAYS = (50, 51)
OUTAGE_RATE = 0.85

# Now and then a provider is too busy, whoever it is.
RATE_LIMITED_RATE = 0.01

# Why models fail, and how often each reason is the one.
FAILURES = {
    "edit_code": {"tests_failed": 5, "wrong_answer": 3, "invalid_output": 1, "timeout": 1},
    "fix_tests": {"tests_failed": 6, "gave_up": 2, "timeout": 2},
    "review_code": {"wrong_answer": 7, "invalid_output": 2, "context_exceeded": 1},
    "write_docs": {"wrong_answer": 6, "invalid_output": 3, "refused": 1},
}

# Some answers come without their cost.
UNPRICED_RATE = 0.02


class Trial(NamedTuple):
    """An A/B experiment at one task type, over the last `days` days."""

    experiment_id: str
    task_type: str
    incumbent: str
    challenger: str
    incumbent_rate: float
    challenger_rate: float
    days: int
    attempts_per_day: int


TRIAL = Trial("dune-at-fix-tests", "fix_tests", "aurora-small", "dune-coder", 0.60, 0.76, 30, 24)


class Evaluation(NamedTuple):
    """A set of tasks, each tried by two models on one day; the tasks differ in how hard they are."""

    task_type: str
    models: tuple[str, str]
    tasks: int
    day: int


EVALUATION = Evaluation("review_code", ("aurora-large", "aurora-small"), 300, 60)

# What an older tool had counted before the log began.
LEGACY = {
    "edit_code": {
        "aurora-small": {"successes": 42, "failures": 3, "successRate": 0.93},
        "cirrus-mini": {
            "successes": 118, "failures": 71, "timeouts": 9, "totalTokens": 3_912_400,
            "totalCost": 1.2719, "successRate": 0.62,
        },
    },
    "triage_issues": {
        "aurora-small": {
            "successes": 64, "failures": 11, "timeouts": 2, "totalTokens": 412_000,
            "totalCost": 0.51, "successRate": 0.85,
        },
        "cirrus-mini": {"successes": 9, "failures": 6, "successRate": 0.6},
    },
}  # fmt: skip

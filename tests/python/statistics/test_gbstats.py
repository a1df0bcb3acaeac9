"""The gbstats mode and the cost ratio's error against gbstats itself (`make test-oracles`)."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from numpy.testing import assert_allclose

PYTHON = os.environ.get("OUTCOMES_ORACLE_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="gbstats has an environment of its own: make test-oracles")


def ask(**questions):
    """The answers of gbstats, which runs in another Python."""
    script = Path(__file__).with_name("gbstats_oracle.py")
    assert PYTHON
    done = subprocess.run([PYTHON, script], input=json.dumps(questions), capture_output=True, text=True, check=True)
    return {name: np.array(answers) for name, answers in json.loads(done.stdout).items()}


def test_the_gbstats_mode_is_gbstats(evaluate, random):
    trials = np.floor(10 ** random.uniform(1.5, 4.5, (2, 1000))).astype(int)
    rates = random.uniform(0.05, 0.95, (2, 1000))
    # gbstats has no interval where an arm has no variance.
    wins = np.clip(random.binomial(trials, rates), 1, trials - 1)
    arms = {
        "incumbent_successes": wins[0],
        "incumbent_trials": trials[0],
        "challenger_successes": wins[1],
        "challenger_trials": trials[1],
    }
    found = evaluate("sequential", mode="gbstats", **arms, model_count=[2] * 1000)
    cases = [{name: int(values[row]) for name, values in arms.items()} | {"tuning": 5000} for row in range(1000)]
    expected = ask(sequential=cases, ratio_error=[])["sequential"]
    difference = wins[1] / trials[1] - wins[0] / trials[0]
    assert_allclose(difference - found["half_width"], expected[:, 0], rtol=1e-9, atol=1e-9)
    assert_allclose(difference + found["half_width"], expected[:, 1], rtol=1e-9, atol=1e-9)
    assert_allclose(found["p_value"], expected[:, 2], rtol=1e-9, atol=1e-12)


def test_the_error_of_cost_per_success_is_that_of_a_ratio_statistic(evaluate, random):
    cases = []
    for size in random.integers(2, 400, 1000):
        successes = random.binomial(1, 0.7, size)
        successes[0] = 1
        cases.append({"costs": random.gamma(2, 0.1, size).tolist(), "successes": successes.tolist()})
    sums = [
        {
            "trials": len(case["costs"]),
            "successes": sum(case["successes"]),
            "costs": sum(case["costs"]),
            "squared_costs": sum(cost * cost for cost in case["costs"]),
            "success_costs": sum(np.multiply(case["costs"], case["successes"])),
        }
        for case in cases
    ]
    found = evaluate("costs", **{name: [row[name] for row in sums] for name in sums[0]})
    assert_allclose(found["error"], ask(sequential=[], ratio_error=cases)["ratio_error"], rtol=1e-9)

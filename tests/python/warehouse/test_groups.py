"""`loader stats --by`: the totals of every model, split by facts that only the log holds."""

import json
from pathlib import Path

import pytest

from .conftest import Warehouse, empty_log, outcome

ROWS = [
    # model, success, agent, team, error_type, cost, further fields; hand-worked below
    *[outcome(agent="rig", attributes={"team": "red"}, cost_usd=0.5, tokens_used=10)] * 3,
    outcome(agent="rig", attributes={"team": "red"}, success=False, timeout=True, tokens_used=5),
    outcome(agent="rig", attributes={"team": "red"}, success=False, error_type="rate_limited", cost_usd=0.25),
    outcome(agent="rig", attributes={"team": "blue"}, success=True, timeout=True, cost_usd=9, cost_source="plan"),
    outcome(model_id="able-2026", attributes={"team": "red", "trials": 7}),
    outcome(task_type="prose", model_id="baker", success=False),
]
SUMMED = ("successes", "failures", "timeouts", "timed_out_successes", "infrastructure_failures", "trials",
          "total_tokens", "priced_trials")  # fmt: skip


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    warehouse = empty_log(tmp_path_factory.mktemp("groups"))
    warehouse.load({**row, "event_id": f"event {number}"} for number, row in enumerate(ROWS))
    warehouse.build("+model_stats", "+int_outcomes_corrected")
    warehouse.write("insert into model_aliases (alias, model_id) values (?, ?)", "able-2026", "able")
    return warehouse


def answer(warehouse: Warehouse, *arguments: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(warehouse.loader("stats", *arguments, "--json").stdout)
    return rows


def test_each_model_is_split_by_the_facts_of_its_outcomes(built: Warehouse) -> None:
    names = ("model_id", "agent", "team", "attempts", "trials", "successes", "timeouts", "timed_out_successes",
             "infrastructure_failures", "total_tokens", "total_cost")  # fmt: skip
    assert [tuple(row[name] for name in names) for row in answer(built, "code", "--by", "agent,team")] == [
        ("able", None, "red", 1, 1, 1, 0, 0, 0, 0, None),
        ("able", "rig", "blue", 1, 1, 1, 0, 1, 0, 0, None),
        ("able", "rig", "red", 5, 4, 3, 1, 0, 1, 35, 1.75),
    ]
    (prose,) = answer(built, "prose", "--by", "agent")
    # Wilson's interval of 0 of 1: z² / (1 + z²) with z = 1.95996.
    assert (prose["success_rate"], prose["success_rate_lower"]) == (0, 0)
    assert prose["success_rate_upper"] == pytest.approx(0.793450, abs=1e-6)


@pytest.mark.parametrize("keys", ["team", "agent,effort", "variant"])
def test_the_groups_of_a_model_sum_to_its_totals(built: Warehouse, keys: str) -> None:
    rows = answer(built, "--by", keys)
    for total in answer(built):
        groups = [row for row in rows if (row["task_type"], row["model_id"]) == (total["task_type"], total["model_id"])]
        assert {name: sum(int(str(row[name])) for row in groups) for name in SUMMED} == {
            name: total[name] for name in SUMMED
        }
        assert sum(float(str(row["total_cost"] or 0)) for row in groups) == pytest.approx(total["total_cost"] or 0)


def test_the_latest_correction_counts_and_a_void_outcome_does_not(built: Warehouse, tmp_path: Path) -> None:
    warehouse = built.copy_to(tmp_path)
    for number, verdict in ((0, "failure"), (3, "failure"), (3, "success"), (1, "void")):
        warehouse.write(f"insert into outcome_corrections (event_id, verdict) values ('event {number}', ?)", verdict)
    red = answer(warehouse, "code", "--by", "agent,team")[-1]
    # Of three successes one became a failure and one void, and the failure that timed out became a success.
    assert [red[name] for name in ("attempts", "successes", "failures", "timeouts", "timed_out_successes")] == [
        4, 2, 2, 0, 1,
    ]  # fmt: skip


def test_an_unknown_key_names_those_that_exist(built: Warehouse) -> None:
    done = built.loader("stats", "--by", 'te"am', check=False)
    assert (done.returncode, done.stderr) == (
        2, """Error: no outcome has 'te"am'; choose from: agent, effort, variant, team, trials\n""",
    )  # fmt: skip
    assert built.loader("stats", "--by", "team,team", check=False).returncode == 2
    assert answer(built, "code", "--by", "trials")[-1]["attributes.trials"] == 7
    assert "red" in built.loader("stats", "code", "--by", "team").stdout

"""`loader pairs` and `loader rank --by`: what they print of a log whose figures are worked out by hand."""

import json
from pathlib import Path

import pytest

from .conftest import Warehouse, copy_of_project, empty_log, outcome

SELECTED = [
    "+model_pairs", "+configuration_rankings", "+agent_comparisons", "+configuration_comparisons", "+model_stats",
    "build_settings",
]  # fmt: skip


def solved(model: str, number: int) -> bool:
    """Forty tasks: both solve 25, only able 4, only baker 9, and neither 2."""
    return number < (25 if model == "baker" else 29) or (model == "baker" and 29 <= number < 38)


ROWS = [
    *(
        outcome(model_id=model, agent="rig", task_id=f"T{number:02}", success=solved(model, number), cost_usd=0.5)
        for model in ("able-2026", "baker")
        for number in range(40)
    ),
    # Later tries, a lost attempt and another agent change no first try under the rig.
    outcome(model_id="able", agent="rig", task_id="T39", timestamp="2026-03-02T12:00:00Z"),
    outcome(model_id="baker", agent="rig", task_id="T25", timestamp="2026-02-01T12:00:00Z", success=False,
            error_type="rate_limited"),
    outcome(model_id="able", agent="pi", task_id="T25", success=False),
    outcome(model_id="cedar", agent="pi", effort="high", task_id="T01"),
    outcome(model_id="cedar", agent="pi", effort="low", success=False, timestamp="2026-03-09T12:00:00Z"),
    outcome(model_id="cedar", agent="pi", effort="low", success=False, timestamp="2026-03-09T12:00:00Z"),
    outcome(task_type="prose", model_id="able"), outcome(task_type="prose", model_id="baker"),
    outcome(task_type="lone", model_id="able", agent="rig"),
    outcome(task_type="split", model_id="able", agent="rig"), outcome(task_type="split", model_id="baker", agent="pi"),
]  # fmt: skip
ONLY_BAKER = [f"T{number:02}" for number in range(29, 38)]
ONLY_ABLE = ["T25", "T26", "T27", "T28"]


def under_the_rig(tasks: list[str]) -> list[dict[str, str | None]]:
    return [{"task_id": task, "agent": "rig", "effort": None, "variant": None} for task in tasks]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    folder = tmp_path_factory.mktemp("pair answers")
    project = copy_of_project(folder / "project")
    (project / "workspace" / "seeds" / "model_aliases.csv").write_text("alias,model_id\nable-2026,able\n")
    (folder / "log").mkdir()
    warehouse = empty_log(folder / "log")
    warehouse.project = project
    warehouse.load({**row, "event_id": f"event {number}"} for number, row in enumerate(ROWS))
    warehouse.build(*SELECTED)
    return warehouse


def test_a_pair_is_told_from_the_side_that_is_asked_for(built: Warehouse) -> None:
    row = json.loads(built.loader("pairs", "code", "able-2026", "baker", "--json").stdout)
    assert (row["model_id"], row["rival_model_id"], row["strata"], row["strata_name"]) == ("able", "baker", 40, "tasks")
    table = [row[f"{name}_succeeded"] for name in ("both", "only_model", "only_rival", "neither")]
    assert table == [25, 4, 9, 2]
    assert row["only_model_tasks"] == under_the_rig(ONLY_ABLE)
    assert row["only_rival_tasks"] == under_the_rig(ONLY_BAKER)
    # able tried the last task twice and solved it once: its weight is 2/3, and the difference there -1/2.
    weight = 39 / 2 + 2 / 3
    assert row["difference"] == pytest.approx((9 / 2 - 4 / 2 - 2 / 3 / 2) / weight)
    assert row["verdict"] == "no_verdict_yet"

    swapped = json.loads(built.loader("pairs", "code", "baker", "able", "--json").stdout)
    assert [swapped[name] for name in ("difference", "difference_lower", "difference_upper", "naive_difference")] == [
        -row[name] for name in ("difference", "difference_upper", "difference_lower", "naive_difference")
    ]
    assert (swapped["only_model_tasks"], swapped["only_rival_tasks"]) == (
        row["only_rival_tasks"], row["only_model_tasks"],
    )  # fmt: skip
    assert (swapped["trials"], swapped["rival_trials"]) == (row["rival_trials"], row["trials"]) == (40, 42)
    assert (swapped["only_model_succeeded"], swapped["only_rival_succeeded"]) == (9, 4)


def test_a_pair_is_told_in_words(built: Warehouse) -> None:
    lines = built.loader("pairs", "code", "able", "baker").stdout.splitlines()
    # able solved 29 of 40, then one more and one less: 30 of 42.
    assert lines[:2] == ["able: 71.4% of 42 trials", "baker: 85.0% of 40 trials"]
    assert lines[2] == "baker against able at the same tasks (40): +10.7 points"
    assert lines[3].startswith("Interval: ")
    assert lines[3].endswith(" valid at every look (95 % for 3 pairs together)")
    assert lines[4] == "Verdict: no verdict yet"
    assert lines[5] == "40 shared tasks, first try: both 25, only able 4, only baker 9, neither 2"
    assert lines[6:] == [
        "Only able solved:", *(f"  {task} (rig)" for task in ONLY_ABLE),
        "Only baker solved:", *(f"  {task} (rig)" for task in ONLY_BAKER),
    ]  # fmt: skip


def test_a_correction_moves_a_task(built: Warehouse, tmp_path: Path) -> None:
    warehouse = built.copy_to(tmp_path)
    warehouse.write("insert into outcome_corrections (event_id, verdict) values ('event 25', 'void')")  # able at T25
    warehouse.write("insert into outcome_corrections (event_id, verdict) values ('event 79', 'success')")  # baker, T39
    warehouse.build(*SELECTED)
    row = json.loads(warehouse.loader("pairs", "code", "able", "baker", "--json").stdout)
    assert row["only_model_tasks"] == under_the_rig(ONLY_ABLE[1:])
    assert row["only_rival_tasks"] == under_the_rig([*ONLY_BAKER, "T39"])
    assert [row["shared_tasks"], row["only_model_succeeded"], row["only_rival_succeeded"]] == [39, 3, 10]


def test_all_pairs_of_a_task_type_are_one_table(built: Warehouse) -> None:
    rows = json.loads(built.loader("pairs", "code", "--json").stdout)
    assert [(row["model_id"], row["rival_model_id"], row["verdict"]) for row in rows] == [
        ("able", "baker", "no_verdict_yet"), ("able", "cedar", "too_few_trials"), ("baker", "cedar", "too_few_trials"),
    ]  # fmt: skip
    heading, _, first, *_ = built.loader("pairs", "code").stdout.splitlines()
    assert heading.split() == ["model", "rival", "rival's", "lead", "interval", "in", "verdict"]
    assert "40 tasks" in first


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["code", "able", "able-2026"], "able and able-2026 are the same model"),
        (["code", "able", "nobody"],
         "no trials of 'nobody' at task type 'code'; choose from: able, baker, cedar"),
        (["poems"], "no outcomes for task type 'poems'; choose one of: code, lone, prose, split"),
        (["code", "able"], "Name two models, or none."),
    ],
)  # fmt: skip
def test_a_wrong_name_is_one_line(built: Warehouse, arguments: list[str], message: str) -> None:
    done = built.loader("pairs", *arguments, check=False)
    assert done.returncode == 2
    assert done.stderr.splitlines()[-1] == f"Error: {message}"


def ranked(warehouse: Warehouse, *arguments: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = json.loads(warehouse.loader("rank", *arguments, "--json").stdout)
    return rows


def test_a_ranking_adds_up_what_by_does_not_name(built: Warehouse) -> None:
    names = ("rank", "model_id", "agent", "trials", "successes", "infrastructure_failures", "total_cost")
    rows = ranked(built, "code", "--by", "agent")
    assert [tuple(row[name] for name in names) for row in rows] == [
        (1, "baker", "rig", 40, 34, 1, 20), (2, "able", "rig", 41, 30, 0, 20), (3, "cedar", "pi", 3, 1, 0, None),
    ]  # fmt: skip
    assert rows[0]["cost_per_success"] == pytest.approx(20 / 34)
    assert rows[1]["cost_per_success"] == pytest.approx(20 / 29)  # the 41st trial has no price
    # Wilson's interval of 34 of 40, from statsmodels.
    assert (rows[0]["success_rate_lower"], rows[0]["success_rate_upper"]) == (
        pytest.approx(0.709276756), pytest.approx(0.929388123)
    )  # fmt: skip
    by_effort = ranked(built, "code", "--by", "effort,agent", "--min-samples", "1")
    assert {(row["model_id"], row["effort"], row["agent"], row["trials"]) for row in by_effort} == {
        ("baker", None, "rig", 40), ("able", None, "rig", 41), ("able", None, "pi", 1), ("cedar", "high", "pi", 1),
        ("cedar", "low", "pi", 2),
    }  # fmt: skip


def test_a_ranking_by_agent_tells_agents_and_models_apart_or_says_why_not(built: Warehouse) -> None:
    def last(task_type: str) -> str:
        return built.loader("rank", task_type, "--by", "agent", "--min-samples", "1").stdout.splitlines()[-1]

    assert last("code").startswith("Same model, rig against pi: ")
    assert "(too few trials)" in last("code")
    assert last("prose") == "Agents cannot be compared: no outcome names an agent."
    assert last("lone") == "Agents cannot be compared: all outcomes with an agent name the same one."
    assert last("split") == (
        "Agents cannot be compared: no two agents ran the same model, effort and variant at a task or on a day."
    )
    assert "Agents" not in built.loader("rank", "prose", "--by", "effort").stdout


def test_an_unknown_key_is_one_line(built: Warehouse) -> None:
    messages = {"team": "--by takes agent, effort, variant, not 'team'", "agent,agent": "--by names agent twice"}
    for by, message in messages.items():
        done = built.loader("rank", "code", "--by", by, check=False)
        assert (done.returncode, done.stderr) == (2, f"Error: {message}\n")

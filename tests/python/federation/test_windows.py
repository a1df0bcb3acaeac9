"""What leaves and when: closed, disjoint windows that add up, cells held back and carried over, late rows."""

import json
import random
from pathlib import Path

import jsonschema
import pytest

from model_outcomes.federation import format

from .conftest import Project, times

CELL = ("code", "able")
STANDING = (
    "select model_id, sum(outcomes) as n from federated_export_rows inner join federated_exports using (export_id)"
    " where replaced_by is null group by model_id"
)


def test_the_published_schema_is_that_of_the_code() -> None:
    assert format.SCHEMA_FILE.read_text() == format.schema()


def test_a_file_is_what_the_schema_says_and_names_no_more(project: Project) -> None:
    project.record(times(12, tokens_used=7, cost_usd=0.25, error_type=None))
    project.record(times(3, success=0, error_type="rate_limited", cost_usd=0.5, tokens_used=2))
    project.record(times(4, success=0, timeout=1, error_type="secret-reason"))
    project.balance("code", "able", 40, 2)
    opening, window = project.export()
    schema = json.loads(format.SCHEMA_FILE.read_text())
    for line in project.file.read_text().splitlines():
        jsonschema.validate(json.loads(line), schema)
    assert (opening["window"], window["window"]) == ("opening", "2024-01-01/2024-01-31")
    assert opening["cells"] == {
        CELL: {"line": "row", "task_type": "code", "model_id": "able", "n": 42, "successes": 40, "timeouts": 0,
               "infrastructure_failures": 0, "tokens": 700, "cost_nano_usd": 9}
    }  # fmt: skip
    assert window["cells"] == {
        CELL: {"line": "row", "task_type": "code", "model_id": "able", "n": 19, "successes": 12, "timeouts": 4,
               "infrastructure_failures": 3, "metered": 12, "priced": 12, "priced_successes": 12, "tokens": 84,
               "tokens_squared": 588.0, "cost_nano_usd": 3 * 10**9, "cost_usd_squared": 0.75,
               "success_cost_nano_usd": 3 * 10**9, "infrastructure_tokens": 6,
               "infrastructure_cost_nano_usd": 1_500_000_000, "first_day": "2024-01-15", "last_day": "2024-01-15"}
    }  # fmt: skip
    assert "secret" not in project.file.read_text()


def test_windows_follow_each_other_and_a_thin_cell_is_carried_over(project: Project) -> None:
    project.record(times(30) + times(6, model_id="thin", timestamp="2024-01-20T00:00:00Z"))
    (january,) = project.export(until="2024-01-31")
    assert set(january["cells"]) == {CELL}
    project.record(times(9, timestamp="2024-02-10T00:00:00Z"))
    project.record(times(3, model_id="thin", timestamp="2024-02-10T00:00:00Z"))
    assert project.export(until="2024-02-29") == [], "9 outcomes of each cell: nothing leaves, and no window is used up"
    project.record(times(4, timestamp="2024-03-01T00:00:00Z"))
    project.record(times(1, model_id="thin", timestamp="2024-03-31T23:59:59Z"))
    (later,) = project.export(until="2024-03-31")
    assert later["window"] == "2024-02-01/2024-03-31"
    told = {key: (row["n"], row["first_day"], row["last_day"]) for key, row in later["cells"].items()}
    assert told == {
        CELL: (13, "2024-02-10", "2024-03-01"), ("code", "thin"): (10, "2024-01-20", "2024-03-31"),
    }  # fmt: skip


def test_exporting_twice_adds_nothing_and_all_writes_the_same_again(project: Project) -> None:
    project.record(times(30))
    project.export()
    first = project.file.read_bytes()
    assert project.export(until=None) == []
    project.export("--all", until=None)
    assert project.file.read_bytes() == first


def test_late_outcomes_replace_the_month_once_there_are_enough(project: Project) -> None:
    project.record(times(30) + times(20, model_id="other"))
    (before,) = project.export(until="2024-01-31")
    project.record(times(40, timestamp="2024-02-03T00:00:00Z"))
    project.export(until="2024-02-29")
    project.record(times(9, success=0))
    assert project.export(until=None) == []
    assert "held back: 9 late outcomes" in project.run("export-federated", "-o", project.file).output
    project.record(times(1, success=0) + times(3, model_id="other"))
    (again,) = project.export(until=None)
    assert (again["window"], again["as_of"] > before["as_of"]) == (before["window"], True)
    assert {key: (row["n"], row["successes"]) for key, row in again["cells"].items()} == {
        CELL: (40, 30), ("code", "other"): (20, 20),
    }  # fmt: skip
    assert project.export(until=None) == []
    assert [one["replaced_by"] for one in project.query("select * from federated_exports")] == [3, None, None]


def test_late_outcomes_of_a_cell_without_a_row_go_into_the_last_window(project: Project) -> None:
    project.record(times(30))
    project.export(until=None)
    project.record(times(12, model_id="late", timestamp="2023-12-24T00:00:00Z"))
    (again,) = project.export(until=None)
    assert {key[1]: row["n"] for key, row in again["cells"].items()} == {"able": 30, "late": 12}
    assert again["cells"]["code", "late"]["first_day"] == "2023-12-24"


def test_corrected_outcomes_replace_the_month_once_there_are_enough(project: Project) -> None:
    correct = "insert into outcome_corrections (outcome_id, verdict) values (?, ?)"
    project.record(times(30) + times(20, model_id="other") + times(15, model_id="wrong"))
    project.export()
    project.write(correct, [(number, "failure") for number in range(1, 10)])
    assert project.export(until=None) == []
    assert "held back: 9 late outcomes" in project.run("export-federated", "-o", project.file).output
    project.write(correct, [(10, "failure"), (11, "void")])
    (again,) = project.export(until=None)
    assert {key[1]: (row["n"], row["successes"]) for key, row in again["cells"].items()} == {
        "able": (29, 19), "other": (20, 20), "wrong": (15, 15),
    }  # fmt: skip
    project.write(correct, [(number, "void") for number in range(51, 66)])
    (again,) = project.export(until=None)
    assert {key[1]: row["n"] for key, row in again["cells"].items()} == {"able": 29, "other": 20}
    assert project.export(until=None) == []


def test_opening_balances_go_once_and_what_they_gained_replaces_them(project: Project) -> None:
    project.balance("code", "able", 20, 5)
    project.balance("code", "thin", 4, 5)
    (opening,) = project.export(until=None)
    assert (opening["window"], set(opening["cells"])) == ("opening", {CELL})
    assert project.export(until=None) == []
    project.balance("code", "thin", 1, 0)
    (again,) = project.export(until=None)
    assert {key[1]: row["n"] for key, row in again["cells"].items()} == {"able": 25, "thin": 10}


def test_a_row_is_told_again_only_for_enough_outcomes_that_moved_to_another_class(project: Project) -> None:
    """Of one more infrastructure failure the tokens and the cost would follow by subtraction."""
    odd = {"success": 0, "error_type": "odd", "tokens_used": 777, "cost_usd": 3.25}
    project.record([*times(20, tokens_used=10), odd])
    project.export()
    project.write("insert into error_types (error_type, attribution) values ('odd', 'infrastructure')")
    (mart,) = project.query("select is_held_back, reason, outcomes, trials from federated_export")
    assert mart == {
        "is_held_back": 1, "reason": "fewer than 10 outcomes since the last export", "outcomes": 0, "trials": -1,
    }  # fmt: skip
    assert project.export(until=None) == []
    assert "held back: 1 late outcomes" in project.run("export-federated", "-o", project.file).output
    project.record(times(8, **odd))
    assert project.export(until=None) == [], "8 late ones and the one that moved"
    project.record([odd])
    assert project.query("select is_held_back from federated_export") == [{"is_held_back": 0}]
    (again,) = project.export(until=None)
    row = again["cells"][CELL]
    assert {name: row[name] for name in ("n", "infrastructure_failures", "tokens", "infrastructure_tokens")} == {
        "n": 30, "infrastructure_failures": 10, "tokens": 200, "infrastructure_tokens": 7770,
    }  # fmt: skip
    project.write("delete from error_types where error_type = 'odd'")
    (again,) = project.export(until=None)
    row = again["cells"][CELL]
    assert (row["n"], row["infrastructure_failures"], row["tokens"]) == (30, 0, 7970), "ten moved, without a late one"


def test_a_higher_cut_takes_no_row_back(project: Project) -> None:
    project.record(times(30) + times(20, model_id="other"))
    project.export()
    project.record(times(49))
    assert project.export("--min-outcomes", 50, until=None) == []
    project.record(times(1))
    (again,) = project.export("--min-outcomes", 50, until=None)
    assert {key[1]: row["n"] for key, row in again["cells"].items()} == {"able": 80, "other": 20}
    assert again["privacy"]["min_outcomes"] == 10, "a row of 20 outcomes stands in it"


def test_private_names_leave_under_another_and_paths_not_at_all(project: Project, tmp_path: Path) -> None:
    project.record(times(12, task_type="acme-merger") + times(12, model_id="/srv/models/x.gguf"))
    names = tmp_path / "names.json"
    names.write_text('{"task_types": {"acme-merger": "planning"}}')
    (window,) = project.export("--rename-map", names, until=None)
    assert set(window["cells"]) == {("planning", "able")}
    assert "acme" not in project.file.read_text()
    held = {row["model_id"]: row["reason"] for row in project.query("select * from federated_export")}
    assert held == {
        "able": "nothing new since the last export",
        "/srv/models/x.gguf": "a name is a path, too long or no plain text: give it another with --rename-map",
    }
    names.write_text('{"models": {"/srv/models/x.gguf": "house-model"}}')
    (again,) = project.export("--rename-map", names, until=None)
    assert set(again["cells"]) == {("planning", "able"), ("code", "house-model")}, "a name once given stays"


@pytest.mark.parametrize("name", ["/x", "~x", ".x", "a/../b", "a//b", "a\\b", "C:/x", " a", "a ", "a/", "x" * 201])
def test_a_name_that_must_not_leave_is_known_to_sql_and_to_the_schema(project: Project, name: str) -> None:
    project.record(times(12, model_id=name) + times(12, model_id="open/router:free v2.1"))
    assert {row["model_id"]: row["is_held_back"] for row in project.query("select * from federated_export")} == {
        name: 1, "open/router:free v2.1": 0,
    }  # fmt: skip
    (window,) = project.export()
    assert set(window["cells"]) == {("code", "open/router:free v2.1")}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--until", "2099-01-01"], "not over yet"),
        (["--until", "2024-01-31"], "is exported; --all writes it again"),
        (["--epsilon", "1"], "come together"),
        (["--licence", "x\n"], "use 1 to 100 letters"),
        (["--min-outcomes", "3"], "x>=10"),
        (["--rename-map", "nowhere.json"], "No such file"),
    ],
)
def test_terms_that_cannot_be_met_change_nothing(project: Project, arguments: list[str], said: str) -> None:
    project.record(times(30) + times(30, timestamp="2024-02-02T00:00:00Z"))
    project.export(until="2024-01-31")
    before = project.query("select * from federated_exports")
    done = project.run("export-federated", "-o", project.database.with_suffix(".x"), *arguments)
    assert (done.exit_code, said in done.output) == (2, True), done.output
    assert project.query("select * from federated_exports") == before
    assert not project.database.with_suffix(".x").exists()


def test_a_file_that_cannot_be_written_uses_up_no_window(project: Project, tmp_path: Path) -> None:
    project.record(times(30))
    for place in (tmp_path, tmp_path / "missing" / "x.jsonl", Path("/dev/full/x")):
        assert project.run("export-federated", "-o", place).exit_code == 2
    assert project.query("select * from federated_exports") == []
    assert list(tmp_path.glob(".*")) == []


def test_before_a_build_it_says_what_to_do(tmp_path: Path) -> None:
    project = Project(tmp_path / "new.db")
    project.run("init")
    done = project.run("export-federated", "-o", tmp_path / "x")
    assert (done.exit_code, "run `loader build`" in done.output) == (2, True)


def of_the_log(project: Project, until: str) -> dict[str, int]:
    (row,) = project.query(
        "select count(*) as n, sum(success) as successes, sum(tokens_used) as tokens,"
        " sum(cast(round(cost_usd * 1e9) as integer)) as cost from model_outcomes where substr(timestamp, 1, 10) <= ?",
        until,
    )
    return row


@pytest.mark.parametrize("seed", range(3))
def test_exports_add_up_to_the_log_less_what_is_held_back(project: Project, seed: int) -> None:
    """Months of outcomes, late ones among them, exported month after month."""
    draw = random.Random(seed)
    for month in range(1, 7):
        project.record(
            {
                "task_type": draw.choice(["code", "prose"]), "model_id": f"m{int(draw.expovariate(0.7))}",
                "success": draw.random() < 0.7, "tokens_used": draw.randrange(3000),
                "cost_usd": draw.choice([0.0, 0.123456789, 0.01]), "cost_source": "provider",
                "timestamp": f"2024-{draw.randint(max(1, month - 2), month):02}-{draw.randint(1, 28):02}T10:00:00Z",
                "error_type": None,
            }
            for _ in range(120)
        )  # fmt: skip
        until = f"2024-{month:02}-28"
        project.export(until=until)
        (standing,) = project.query(
            "select sum(outcomes) as n, sum(successes) as successes, sum(tokens) as tokens, sum(cost_nano_usd) as cost"
            " from federated_export_rows inner join federated_exports using (export_id) where replaced_by is null"
        )
        (held,) = project.query(
            "select sum(outcomes) as n, sum(successes) as successes, sum(tokens) as tokens, sum(cost_nano_usd) as cost"
            " from int_outcomes_unexported where outcome_date <= ?", until,
        )  # fmt: skip
        (late,) = project.query(
            "select sum(late_outcomes) as n, sum(successes - exported_successes) as successes,"
            " sum(tokens - exported_tokens) as tokens, sum(cost_nano_usd - exported_cost_nano_usd) as cost"
            " from int_exports_recounted"
        )
        total = {name: sum(part[name] or 0 for part in (standing, held, late)) for name in standing}
        assert total == of_the_log(project, until)
        assert standing["n"] > 0.6 * total["n"], "most of it leaves"
    assert any(row["replaced_by"] for row in project.query("select * from federated_exports")), "late rows replaced"
    assert late["n"], "some late rows wait"


def test_the_mart_says_what_leaves_now_and_what_does_not(project: Project) -> None:
    project.record(times(30, success=0, cost_usd=0.5, tokens_used=3) + times(5, model_id="thin"))
    project.record(times(20, model_id="late") + times(25, model_id="old", error_type="network_error", success=0))
    project.balance("code", "able", 20, 5)
    project.export(until="2024-01-31")
    project.record(times(7, model_id="thin", timestamp="2024-02-01T00:00:00Z") + times(3, model_id="able"))
    project.record(times(12, model_id="late") + times(4, model_id="late", timestamp="2024-02-01T00:00:00Z"))
    project.record_unguarded(times(50, model_id="future", timestamp="2999-01-01T00:00:00Z"))
    project.write("insert into model_aliases values ('newer', 'thin')")
    few = "fewer than 10 outcomes since the last export"
    mart = {
        row["model_id"]: (row["outcomes"], row["waiting_outcomes"], row["is_held_back"], row["reason"])
        for row in project.query("select * from federated_export")
    }
    assert mart == {
        "able": (3, 0, 1, few),
        "late": (12, 4, 0, None),
        "old": (0, 0, 1, "nothing new since the last export"),
        "thin": (12, 0, 0, None),
    }
    before = {row["model_id"]: row["n"] for row in project.query(STANDING)}
    project.export(until=None)
    after = {row["model_id"]: row["n"] for row in project.query(STANDING)}
    assert {name: after[name] - before.get(name, 0) for name in after} == {"able": 0, "late": 12, "old": 0, "thin": 12}

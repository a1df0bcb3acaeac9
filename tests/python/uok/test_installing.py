"""`loader sync-uok --install-view`: one view in the orchestrator's database, and nothing else."""

import pytest

from .conftest import LOOSE_TABLE, START, Orchestrator, unit


def test_the_view_counts_what_is_there(orchestrator: Orchestrator, invoke, database) -> None:
    orchestrator.add(
        [
            unit(1, unit_type="code", model_id="able", succeeded=1, tokens_total=5, cost_usd=0.25),
            unit(2, unit_type="code", model_id="able", succeeded=0, tokens_total=None, cost_usd=None),
            unit(3, unit_type="code", model_id="baker", succeeded=0, tokens_total=None, cost_usd=None),
            unit(4, unit_type="prose", model_id="able", succeeded=1, tokens_total=7, cost_usd=0.5),
        ]
    )
    before = orchestrator.execute("select * from llm_task_outcomes")
    done = invoke("sync-uok", orchestrator.path, "--install-view")
    assert done.stdout == f"{orchestrator.path}: the view model_performance was created\n"
    assert not database.exists()
    assert orchestrator.execute("select * from llm_task_outcomes") == before
    assert orchestrator.execute(
        "select task_type, model_id, successes, failures, total_tokens, total_cost from model_performance order by 1, 2"
    ) == [("code", "able", 1, 1, 5, 0.25), ("code", "baker", 0, 1, 0, None), ("prose", "able", 1, 0, 7, 0.5)]


def test_a_second_time_nothing_happens(orchestrator: Orchestrator, invoke) -> None:
    invoke("sync-uok", orchestrator.path, "--install-view")
    before = orchestrator.execute("pragma schema_version")
    done = invoke("sync-uok", orchestrator.path, "--install-view")
    assert (done.exit_code, done.stdout) == (0, f"{orchestrator.path}: the view model_performance exists already\n")
    assert orchestrator.execute("pragma schema_version") == before


def test_an_older_view_of_ours_is_renewed(orchestrator: Orchestrator, invoke) -> None:
    orchestrator.execute(
        "create view model_performance as /* made by loader sync-uok --install-view */ select 1 as successes"
    )
    assert "was created" in invoke("sync-uok", orchestrator.path, "--install-view").stdout
    assert orchestrator.execute("select * from model_performance") == []


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("create table model_performance (a)", "table"),
        ("create view Model_Performance as select model_id from llm_task_outcomes", "view"),
        ("create index model_performance on llm_task_outcomes (model_id)", "index"),
    ],
)
def test_a_name_that_is_taken_is_left_alone(orchestrator: Orchestrator, invoke, statement, kind) -> None:
    orchestrator.execute(statement)
    before = orchestrator.execute("select * from sqlite_master")
    done = invoke("sync-uok", orchestrator.path, "--install-view")
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"has its own {kind} model_performance" in done.stderr
    assert orchestrator.execute("select * from sqlite_master") == before


def test_only_columns_that_are_there_are_named(orchestrator: Orchestrator, invoke) -> None:
    orchestrator.execute("drop table llm_task_outcomes")
    orchestrator.execute(LOOSE_TABLE)
    orchestrator.execute(f"insert into llm_task_outcomes values ('T1', {START}, 1, 'code', 'able', 0.5, null)")
    assert invoke("sync-uok", orchestrator.path, "--install-view").exit_code == 0
    assert orchestrator.execute("select * from model_performance") == [("code", "able", 1, 0, None, 0.5)]


def test_the_table_goes_on_being_written_and_mirrored(orchestrator: Orchestrator, invoke) -> None:
    invoke("sync-uok", orchestrator.path, "--install-view")
    orchestrator.add([unit(1)])
    assert " 1 added" in invoke("sync-uok", orchestrator.path).stdout


def test_it_does_nothing_else(orchestrator: Orchestrator, invoke) -> None:
    done = invoke("sync-uok", orchestrator.path, "--install-view", "--adopt")
    assert done.exit_code == 2
    assert orchestrator.execute("select * from sqlite_master where type = 'view'") == []


def test_a_log_of_outcomes_gets_no_view(database, invoke, query) -> None:
    invoke("init")
    done = invoke("sync-uok", database, "--install-view")
    assert done.exit_code == 2
    assert done.stderr == f"Error: {database} is a log of outcomes: name the orchestrator's own database\n"
    assert query("select count(*) from sqlite_master where name = 'model_performance'") == [(0,)]


def test_no_database_is_made_where_there_is_none(tmp_path, invoke) -> None:
    done = invoke("sync-uok", tmp_path / "nowhere.db", "--install-view")
    assert done.exit_code == 2
    assert list(tmp_path.iterdir()) == []

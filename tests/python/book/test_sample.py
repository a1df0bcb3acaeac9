"""The sample is the same every time, is in the log once and whole, and shows what happened in its world."""

import csv
import gzip
import json
import sqlite3
from contextlib import closing
from datetime import date

import pytest

from sample import files, world

from ..conftest import make_sample

LAST_DAY = date(2026, 3, 31)


@pytest.fixture(scope="module")
def written(sampled):
    """The lines that the sample wrote: of the agents (None for a line that is no JSON), of the evaluation."""
    folder = sampled.folder / "data" / "sample"
    with gzip.open(folder / files.EVALUATION, "rt") as text:
        evaluation = list(csv.DictReader(text))
    lines = [line + "\n" for line in (folder / files.AGENTS).read_text().splitlines()]
    bad = {line + "\n" for line in files.BAD_LINES.values()}
    return [json.loads(line) for line in lines if line not in bad], evaluation


def test_the_same_day_gives_the_same_files(tmp_path):
    for name in ("first", "second"):
        assert files.write(tmp_path / name, LAST_DAY)
    for name in (files.AGENTS, files.EVALUATION, files.LEGACY):
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes()


def test_another_day_changes_the_dates_alone(tmp_path):
    files.write(tmp_path / "first", LAST_DAY)
    files.write(tmp_path / "second", date(2026, 4, 1))
    first, second = ((tmp_path / name / files.AGENTS).read_text() for name in ("first", "second"))
    assert first != second
    assert '"2026-03-31T' in first and '"2026-04-01T' not in first  # noqa: PT018
    without = [[json.loads(line) | {"timestamp": None} for line in text.splitlines() if line.endswith("Z\"}")
                and "event_id" in line] for text in (first, second)]  # fmt: skip
    assert without[0] == without[1]


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    assert not files.write(tmp_path, LAST_DAY)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_all_that_was_written_is_in_the_log_and_no_more(sampled, written):
    agents, evaluation = written
    assert 18_000 < len(agents) + len(evaluation) < 22_000
    assert sampled.query("select count(*), sum(success) from model_outcomes") == [
        (
            len(agents) + len(evaluation),
            sum(line["success"] for line in agents) + sum(row["success"] == "true" for row in evaluation),
        )
    ]
    assert sampled.query("select count(*) from rejected_outcomes") == [(len(files.BAD_LINES),)]


def test_balances_and_outcomes_are_in_the_statistics(sampled, written):
    agents, evaluation = written
    cells = [cell for models in world.LEGACY.values() for cell in models.values()]
    before = sum(cell["successes"] + cell["failures"] for cell in cells)
    total = len(agents) + len(evaluation) + before
    assert sampled.query("select sum(successes + failures) from model_stats") == [(total,)]


def test_aliases_are_brought_together(sampled):
    recorded = {name for (name,) in sampled.query("select distinct model_id from model_outcomes")}
    assert set(world.NAMES.values()) < recorded
    assert {name for (name,) in sampled.query("select distinct model_id from model_stats")} == set(world.MODELS)


def test_the_regression_shows_in_the_trends(sampled):
    """The rates before and after lie on their own sides of the middle, and the other models' do not fall like that."""
    [(before, after)] = sampled.query(
        f"""
        select
            1.0 * sum(successes) filter (where day < {world.REGRESSED_FROM})
            / sum(trials) filter (where day < {world.REGRESSED_FROM}),
            1.0 * sum(successes) filter (where day >= {world.REGRESSED_FROM})
            / sum(trials) filter (where day >= {world.REGRESSED_FROM})
        from (
            select *, julianday(outcome_date)
                - (select julianday(max(outcome_date)) from model_daily_trends) + {world.DAYS - 1} as day
            from model_daily_trends
        )
        where task_type = '{world.REGRESSED_TASK}' and model_id = '{world.REGRESSED_MODEL}'
        """
    )
    middle = (world.TASKS[world.REGRESSED_TASK].success_rates[world.REGRESSED_MODEL] + world.REGRESSED_RATE) / 2
    assert before > middle > after


def test_the_outage_shows_as_infrastructure_failures_of_one_provider(sampled):
    """Attempts that are no trials pile up on two days, and nobody's success rate pays for them."""
    found = sampled.query(
        "select outcome_date, sum(attempts) - sum(trials), sum(attempts), 1.0 * sum(successes) / sum(trials)"
        f" from model_daily_trends where model_id like '{world.OUTAGE_PROVIDER}-%' group by outcome_date order by 1"
    )
    worst = sorted(range(len(found)), key=lambda day: found[day][1], reverse=True)
    assert sorted(worst[:2]) == list(world.OUTAGE_DAYS)
    assert all(found[day][1] / found[day][2] > 0.6 for day in world.OUTAGE_DAYS)
    assert all(found[day][1] / found[day][2] < 0.1 for day in worst[2:])
    assert all(found[day][3] > 0.6 for day in world.OUTAGE_DAYS)


def test_the_trial_and_the_evaluation_are_there_to_be_compared(sampled):
    arms = sampled.query(
        f"select distinct model_id from model_outcomes where experiment_id = '{world.TRIAL.experiment_id}' order by 1"
    )
    assert arms == [(world.TRIAL.incumbent,), (world.TRIAL.challenger,)]
    shared = sampled.query(
        "select count(*) from (select 1 from model_outcomes where task_id is not null group by task_id"
        " having count(distinct model_id) = 2)"
    )
    assert shared == [(world.EVALUATION.tasks,)]


def test_one_model_has_no_prices(sampled):
    unpriced = sampled.query(
        "select distinct model_id from model_stats where priced_trials = 0 and legacy_successes = 0"
    )
    assert unpriced == [("ember-base",)]


def test_a_second_run_adds_nothing(made_sample):
    def query(sql):
        with closing(sqlite3.connect(made_sample / "made" / "data" / "sample.db")) as connection:
            return connection.execute(sql).fetchall()

    tables = ("model_outcomes", "legacy_model_stats", "rejected_outcomes", "load_history", "model_stats")
    counts = " union all ".join(f"select count(*) from {table}" for table in tables)
    before = query(counts)
    make_sample(made_sample / "made")
    assert query(counts) == before


def test_the_commands_that_it_ends_with_work_as_printed(sampled):
    commands = sampled.output.partition("Where to look next:")[2].strip().splitlines()
    assert len(commands) == 6
    for command in commands:
        assert sampled.run("bash", "-c", command)


def test_the_default_database_is_left_alone(sampled):
    assert not (sampled.folder / "data" / "outcomes.db").exists()

"""What is published: the marts and only they, whole, described, at one moment."""

import csv
import json
import sqlite3
from contextlib import closing

import pytest
from frictionless import Package, validate
from pyarrow import parquet

from loader.errors import OutcomesError
from loader.pipeline import publishing

from .conftest import Site, lines, outcome


@pytest.fixture(scope="module")
def site(run_once) -> Site:
    return run_once[0]


@pytest.fixture(scope="module")
def marts(site: Site) -> list[str]:
    """The dbt models of the folder marts/, by dbt's manifest."""
    nodes = json.loads((site.folder / "outcomes.db.build/target/manifest.json").read_text())["nodes"].values()
    return sorted(node["name"] for node in nodes if node["path"].startswith("marts/") and node["name"] in node["path"])


def test_the_snapshot_holds_the_marts_as_tables_with_the_rows_that_were_built(site: Site, marts) -> None:
    snapshot = site.published / "model_outcomes.db"
    tables = site.query("select name, type from sqlite_master where type in ('table', 'view')"
                        " and name not like 'sqlite_%' order by 1", path=snapshot)  # fmt: skip
    assert tables == sorted((name, "table") for name in [*marts, "snapshot_run", "snapshot_descriptions", "caveats"])
    for mart in marts:
        rows = f"select * from {mart}"
        assert sorted(map(repr, site.query(rows, path=snapshot))) == sorted(map(repr, site.query(rows))), mart
    assert site.query("pragma journal_mode", path=snapshot) == [("delete",)]
    assert not list(site.published.glob("model_outcomes.db-*"))


def test_it_says_which_run_it_is_of_and_what_everything_means(site: Site, run_once) -> None:
    snapshot, summary = site.published / "model_outcomes.db", run_once[1]
    (run,) = site.query("select run_id, as_of, database, last_outcome_id from snapshot_run", path=snapshot)
    assert run[::2] == (summary["run_id"], "../outcomes.db")
    assert summary["started_at"] < run[1] < summary["finished_at"]
    assert run[3] == 420
    undescribed = """
        select table_name, name from (
            select m.name as table_name, i.name from sqlite_master as m, pragma_table_info(m.name) as i
            where m.type = 'table' and m.name not like 'snapshot_%' and m.name not like 'sqlite_%'
        ) left join snapshot_descriptions as d using (table_name)
        where d.column_name = name group by 1, 2 having max(length(d.description)) is null
    """
    assert site.query(undescribed, path=snapshot) == []
    about = "select description from snapshot_descriptions where column_name = 'success_rate'"
    assert "{{" not in site.query(about, path=snapshot)[0][0]


def test_a_query_for_a_task_type_uses_an_index(site: Site, marts) -> None:
    plan = "explain query plan select * from {} where task_type = 'code'"
    asked = [mart for mart in marts if mart != "ab_comparison_days"]  # which has no task type
    for mart in asked:
        ((*_, how),) = site.query(plan.format(mart), path=site.published / "model_outcomes.db")
        assert "USING INDEX" in how, mart


def test_the_data_package_is_valid_and_its_files_hold_the_same_rows(site: Site, marts) -> None:
    report = validate(str(site.published / "datapackage.json"))
    assert report.valid, report.flatten(["type", "message"])
    package = Package(str(site.published / "datapackage.json"))
    paths = {resource.path for resource in package.resources}
    assert {f"{kind}/{mart}.{kind}" for mart in marts for kind in ("csv", "jsonl", "parquet")} == paths
    rankings = package.get_resource("model-rankings-csv")
    assert rankings.schema.primary_key == ["task_type", "model_id"]
    wanted = site.query("select task_type, model_id, trials, success_rate from model_rankings order by 1, 2")
    columns = ("task_type", "model_id", "trials", "success_rate")
    with (site.published / "jsonl/model_rankings.jsonl").open() as file:
        rows = [json.loads(line) for line in file]
    assert sorted(tuple(row[name] for name in columns) for row in rows) == wanted
    rows = parquet.read_table(site.published / "parquet/model_rankings.parquet").to_pylist()
    assert sorted(tuple(row[name] for name in columns) for row in rows) == wanted


def test_a_damaged_file_is_told_by_the_data_package(ran: Site) -> None:
    path = ran.published / "csv" / "model_rankings.csv"
    path.write_text(path.read_text().replace("150", "151"))
    assert not validate(str(ran.published / "datapackage.json")).valid


def test_no_cell_of_the_csv_is_a_formula_and_the_way_back_is_plain(site: Site) -> None:
    with (site.published / "csv" / "model_stats.csv").open(newline="") as file:
        names = [row["model_id"] for row in csv.DictReader(file)]
    assert "'=able" in names
    assert not [name for name in names if name.startswith("=")]
    said = site.loader("stats", "--csv").stdout
    assert "code,'=able," in said
    assert {name.removeprefix("'") for name in names} == {"=able", "m0", "m1", "m2", "weak"}


def test_a_mart_that_is_no_more_leaves_no_file_and_nobody_elses_goes(ran: Site) -> None:
    descriptor = ran.published / "datapackage.json"
    package = json.loads(descriptor.read_text())
    (ran.published / "csv" / "gone.csv").write_text("x\n")
    (ran.published / "csv" / "mine.csv").write_text("x\n")
    (ran.folder / "outside.csv").write_text("x\n")
    package["resources"] += [{"path": "csv/gone.csv"}, {"path": "../outside.csv"}, {"path": "model_outcomes.db"}]
    descriptor.write_text(json.dumps(package))
    with publishing.written(ran.database, ran.published, run_id="x", as_of="y") as publication:
        publication.move_into_place()
    assert not (ran.published / "csv" / "gone.csv").exists()
    assert (ran.published / "csv" / "mine.csv").exists()
    assert (ran.folder / "outside.csv").exists()


def test_a_full_disk_leaves_what_was_published(ran: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ran.files()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("loader.pipeline.exports._write_jsonl", full)
    with (
        pytest.raises(OutcomesError, match="No space left"),
        publishing.written(ran.database, ran.published, run_id="x", as_of="y"),
    ):
        pass
    assert ran.files() == before


def test_readers_meet_a_whole_file_at_every_moment(ran: Site) -> None:
    """A reader that holds the old snapshot open reads on in it; one that opens anew gets the new one."""
    with closing(sqlite3.connect(ran.published / "model_outcomes.db")) as reader:
        before = reader.execute("select run_id from snapshot_run").fetchone()
        with publishing.written(ran.database, ran.published, run_id="x", as_of="y") as publication:
            publication.move_into_place()
        assert reader.execute("select run_id from snapshot_run").fetchone() == before
    assert ran.query("select run_id from snapshot_run", path=ran.published / "model_outcomes.db") == [("x",)]


def test_nothing_is_published_where_that_is_asked_for(ran: Site) -> None:
    before = ran.files()
    ran.put("more.jsonl", lines([outcome()]))
    assert ran.run("--no-publish")["published"] is None
    assert ran.files() == before

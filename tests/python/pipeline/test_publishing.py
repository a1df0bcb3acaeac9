"""What is published: the marts and only they, whole, described, at one moment."""

import csv
import hashlib
import json
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from frictionless import Package, validate
from pyarrow import parquet

from model_outcomes.base.errors import OutcomesError
from model_outcomes.publish import logical_types, publisher

from .conftest import WITHOUT_DBT, Site, lines, outcome

KINDS = ("csv", "jsonl", "parquet")
# What the columns of these names hold, by the texts of their values.
DATE, TIME = r"\d{4}-\d\d-\d\d", r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}"


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
    without_task_type = {"ab_comparison_days", "build_settings"}
    for mart in set(marts) - without_task_type:
        ((*_, how),) = site.query(plan.format(mart), path=site.published / "model_outcomes.db")
        assert "USING INDEX" in how, mart


def test_the_data_package_is_valid_and_its_files_hold_the_same_rows(site: Site, marts) -> None:
    report = validate(str(site.published / "datapackage.json"))
    assert report.valid, report.flatten(["type", "message"])
    package = Package(source=str(site.published / "datapackage.json"))
    paths = {resource.path for resource in package.resources}
    assert paths == {f"{kind}/{mart}.{kind}" for mart in marts for kind in KINDS} | {"model_outcomes.db", "report.html"}
    rankings = package.get_resource("model-rankings-csv")
    assert rankings.schema.primary_key == ["task_type", "model_id"]
    wanted = site.query("select task_type, model_id, trials, success_rate from model_rankings order by 1, 2")
    columns = ("task_type", "model_id", "trials", "success_rate")
    with (site.published / "jsonl/model_rankings.jsonl").open() as file:
        rows = [json.loads(line) for line in file]
    assert sorted(tuple(row[name] for name in columns) for row in rows) == wanted
    rows = parquet.read_table(site.published / "parquet/model_rankings.parquet").to_pylist()
    assert sorted(tuple(row[name] for name in columns) for row in rows) == wanted


def test_the_digest_of_every_file_is_in_the_data_package(site: Site) -> None:
    package = json.loads((site.published / "datapackage.json").read_text())
    digests = {resource["path"]: (resource["hash"], resource["bytes"]) for resource in package["resources"]}
    for name, content in site.files().items():
        if not name.startswith(".") and name != "datapackage.json":
            assert digests.pop(name) == (f"sha256:{hashlib.sha256(content).hexdigest()}", len(content)), name
    assert digests == {}


def test_dates_times_and_booleans_have_their_types_in_every_format(site: Site, marts) -> None:
    package = Package(source=str(site.published / "datapackage.json"))
    held = set()
    convert: Callable[[Any], Any]
    for mart in marts:
        schema = parquet.read_schema(site.published / f"parquet/{mart}.parquet")
        typed = parquet.read_table(site.published / f"parquet/{mart}.parquet").to_pylist()
        as_json = (site.published / f"jsonl/{mart}.jsonl").read_text().splitlines()
        for column in schema.names:
            values = [value for (value,) in site.query(f'select "{column}" from {mart} order by rowid',
                                                       path=site.published / "model_outcomes.db")]  # fmt: skip
            known = [value for value in values if value is not None]
            texts = [value for value in known if isinstance(value, str)]
            fields = {kind: package.get_resource(f"{mart}-{kind}".replace("_", "-")).schema.get_field(column).type
                      for kind in ("csv", "jsonl")}  # fmt: skip
            if column.startswith(("is_", "has_")):
                expected, held_by_parquet, convert = "boolean", "bool", bool
                assert [json.loads(line)[column] for line in as_json] == values
                assert all(json.loads(line)[column] in (True, False, None) for line in as_json)
            elif texts and all(re.fullmatch(DATE, text) for text in texts):
                expected, held_by_parquet, convert = "date", "date32[day]", date.fromisoformat
            elif texts and all(re.fullmatch(TIME, text) for text in texts):
                expected, held_by_parquet = "datetime", "timestamp[us, tz=UTC]"
                convert = lambda text: datetime.fromisoformat(f"{text}000+00:00")  # noqa: E731
            else:
                assert known == [] or fields["csv"] not in ("date", "datetime", "boolean"), (mart, column)
                continue
            held.add(expected)
            assert fields == {"csv": expected, "jsonl": expected}, (mart, column)
            assert str(schema.field(column).type) == held_by_parquet, (mart, column)
            assert [row[column] for row in typed] == [None if value is None else convert(value) for value in values]
    assert held == {"boolean", "date", "datetime"}


def test_a_value_that_is_no_date_leaves_its_column_text(tmp_path) -> None:
    with closing(sqlite3.connect(tmp_path / "x.db")) as connection:
        connection.execute(
            "create table x (a_date text, b_date text, c_at text, d_at text, is_e integer, is_f integer)"
        )
        connection.executemany("insert into x values (?, ?, ?, ?, ?, ?)", [
            ("2024-02-29", "2026-02-29", "2026-01-31 12:00:00.000", "2026-01-31", 1, 2),
            (None, "2026-01-01", None, "2026-01-31 12:00:00.000", None, 1),
        ])  # fmt: skip
        columns = ["a_date", "b_date", "c_at", "d_at", "is_e", "is_f"]
        assert logical_types.of_columns(connection, "x", columns) == {
            "a_date": "date", "c_at": "datetime", "is_e": "boolean"
        }  # fmt: skip


def test_a_damaged_file_is_told_by_the_data_package(ran: Site) -> None:
    path = ran.published / "csv" / "model_rankings.csv"
    path.write_text(path.read_text().replace("149", "150"))
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
    with publisher.written(ran.database, ran.published, run_id="x", as_of="y") as publication:
        publication.move_into_place()
    assert not (ran.published / "csv" / "gone.csv").exists()
    assert (ran.published / "csv" / "mine.csv").exists()
    assert (ran.folder / "outside.csv").exists()


def test_a_full_disk_leaves_what_was_published(ran: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    before = ran.files()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("model_outcomes.publish.exports._write_jsonl", full)
    with (
        pytest.raises(OutcomesError, match="No space left"),
        publisher.written(ran.database, ran.published, run_id="x", as_of="y"),
    ):
        pass
    assert ran.files() == before


def test_readers_meet_a_whole_file_at_every_moment(ran: Site) -> None:
    """A reader that holds the old snapshot open reads on in it; one that opens anew gets the new one."""
    with closing(sqlite3.connect(ran.published / "model_outcomes.db")) as reader:
        before = reader.execute("select run_id from snapshot_run").fetchone()
        with publisher.written(ran.database, ran.published, run_id="x", as_of="y") as publication:
            publication.move_into_place()
        assert reader.execute("select run_id from snapshot_run").fetchone() == before
    assert ran.query("select run_id from snapshot_run", path=ran.published / "model_outcomes.db") == [("x",)]


def test_nothing_is_published_where_that_is_asked_for(tmp_path: Path) -> None:
    site = Site(tmp_path, program=WITHOUT_DBT)
    site.run()
    before = site.files()
    site.put("more.jsonl", lines([outcome()]))
    assert site.run("--no-publish")["published"] is None
    assert "model_outcomes.db" in before
    assert site.files() == before

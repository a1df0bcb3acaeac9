"""`loader run` leaves the report beside the marts, whole; what is wrong with it keeps nothing back and is told."""

import hashlib
import json

from model_outcomes.job import run

from . import without_dbt
from .conftest import Site


def descriptor(site: Site) -> dict[str, dict]:
    package = json.loads((site.published / "datapackage.json").read_text())
    return {resource["path"]: resource for resource in package["resources"]}


def test_it_lies_beside_the_marts_and_the_data_package_has_its_digest(run_once) -> None:
    site, summary, _ = run_once
    page = site.published / "report.html"
    assert "report.html" in summary["published"]["files"]
    listed = descriptor(site)["report.html"]
    assert listed["hash"] == f"sha256:{hashlib.sha256(page.read_bytes()).hexdigest()}"
    assert listed["bytes"] == page.stat().st_size
    text = page.read_text(encoding="utf-8")
    assert "This was the first run: everything is new." in text
    assert "Rejected lines" in text


def test_a_report_that_fails_keeps_no_mart_back_and_is_exit_1(site: Site) -> None:
    """The stand-in's marts have few of the columns that a report needs."""
    summary = site.run(OUTCOMES_REPORT="yes", exits=1)
    assert summary["published"]["marts"] == 7
    (fault,) = summary["faults"]
    assert fault.startswith("no report is published: ")
    assert "report.html" not in descriptor(site)


def test_without_its_libraries_a_run_says_so_and_is_well(site: Site, monkeypatch, capfd) -> None:
    monkeypatch.setattr("model_outcomes.warehouse.builds.run_dbt", without_dbt.run_dbt)
    monkeypatch.setattr("model_outcomes.publish.report.page.LIBRARIES", ("altair", "no_such_library"))
    (site.published / "csv").mkdir(parents=True)
    (site.published / "report.html").write_text("of an earlier run")
    descriptor = {"name": "model-outcomes", "resources": [{"path": "report.html"}]}
    (site.published / "datapackage.json").write_text(json.dumps(descriptor))
    summary = run.run(site.database, run.Options(inbox=site.inbox, publish=site.published))
    assert summary.exit_code == 0
    assert summary.published
    assert summary.published["marts"] == 7
    said = capfd.readouterr().err
    assert "no report is published: no_such_library is not installed: run `make setup EXTRAS=report`" in said
    assert not (site.published / "report.html").exists(), "it would be of another run than the marts beside it"

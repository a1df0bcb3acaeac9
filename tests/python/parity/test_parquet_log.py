"""`loader export-log --to parquet`: the whole log once, whatever happens on the way."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow
import pytest
from pyarrow import dataset, parquet

from model_outcomes.base.errors import OutcomesError
from model_outcomes.log import store
from model_outcomes.warehouse.engines import log_tables, parquet_log

from ..conftest import Invoke

COLUMNS = "task_type, model_id, success, timeout, tokens_used, cost_usd, timestamp, event_id"


def write(database: Path, *rows: tuple[Any, ...]) -> None:
    connection = store.create_or_open(database)
    connection.executemany(f"insert into model_outcomes ({COLUMNS}) values (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    connection.close()


def outcomes(number: int, timestamp: str = "2026-01-31T12:00:00Z") -> list[tuple[Any, ...]]:
    return [("code", f"model-{each}", each % 2, 0, each, each / 3, timestamp, None) for each in range(number)]


def exported(folder: Path) -> list[dict[str, Any]]:
    rows = dataset.dataset(folder / "model_outcomes", partitioning="hive").to_table().to_pylist()
    return sorted(rows, key=lambda row: row["id"])


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.glob("model_outcomes/*/*/*") if path.is_file()}


def test_outcomes_lie_by_day_in_utc_and_each_value_is_the_log_s(database: Path, tmp_path: Path, invoke: Invoke) -> None:
    write(
        database,
        ("code", "able", 1, 0, 7, 0.1, "2026-01-31T23:30:00-01:00", "e1"),
        ("prose", "b\tä\n", 0, 1, 10**12, 1e6, "2026-01-31 12:00:01.2345", None),
        ("code", "able", 1, 0, 0, 0.0, "2026-01-31T12:00", None),
    )
    done = invoke("export-log", "--to", "parquet", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "3 outcomes exported" in done.output
    first, second, third = exported(tmp_path / "out")
    assert [str(row["day"]) for row in (first, second, third)] == ["2026-02-01", "2026-01-31", "2026-01-31"]
    assert [row["timestamp"] for row in (first, second, third)] == [
        "2026-02-01T00:30:00.000Z", "2026-01-31T12:00:01.234Z", "2026-01-31T12:00:00.000Z",
    ]  # fmt: skip
    assert (first["id"], first["event_id"], first["cost_usd"], first["task_id"]) == (1, "e1", 0.1, None)
    assert (second["model_id"], second["tokens_used"], second["timeout"]) == ("b\tä\n", 10**12, 1)


def test_only_what_is_new_is_written(database: Path, tmp_path: Path, invoke: Invoke) -> None:
    out = tmp_path / "out"
    write(database, *outcomes(5))
    invoke("export-log", "--to", "parquet", out)
    before = {name: (out / name).stat().st_mtime_ns for name in files(out)}
    write(database, *outcomes(2, "2025-01-01T00:00:00Z"))
    done = invoke("export-log", "--to", "parquet", out)
    assert "2 outcomes exported" in done.output
    assert {name: (out / name).stat().st_mtime_ns for name in before} == before
    assert [row["id"] for row in exported(out)] == [1, 2, 3, 4, 5, 6, 7]
    assert "0 outcomes exported" in invoke("export-log", "--to", "parquet", out).output
    assert len(files(out)) == 3  # one without rows, and one for each export that had some


@pytest.mark.parametrize("is_built", [False, True])
def test_an_export_of_the_version_before_gets_the_new_columns(
    database: Path, tmp_path: Path, invoke: Invoke, monkeypatch: pytest.MonkeyPatch, is_built: bool
) -> None:
    write(database, *outcomes(5))
    folder = tmp_path / "out"
    now = log_tables.table
    connection = store.open_existing(database)
    with monkeypatch.context() as patch:
        patch.setattr(log_tables, "table", lambda connection, name: first_columns(now(connection, name)))
        parquet_log.export(connection, folder, batch=2)
    assert "agent" not in exported(folder)[0]
    record = ("record", "--task-type", "code", "--model-id", "able", "--success", "--agent", "rig")
    assert invoke(*record, "--attribute", "team=red").exit_code == 0
    if is_built:
        assert parquet_log.mend(connection, folder) == 4  # three batches, and the one without rows
        assert parquet_log.mend(connection, folder) == 0
    assert parquet_log.export(connection, folder).rows == 1
    connection.close()
    assert [(row["id"], row["agent"], row["attributes"]) for row in exported(folder)] == [
        *((number, None, None) for number in range(1, 6)), (6, "rig", '{"team":"red"}'),
    ]  # fmt: skip
    assert json.loads((folder / "export.json").read_text())["columns"][-1] == "attributes"


def first_columns(table: log_tables.Table) -> log_tables.Table:
    """The log as the version before exported it, without the columns after cost_source."""
    if table.name != log_tables.LOG:
        return table
    columns = table.columns[:17]
    assert columns[-1].name == "cost_source"
    return log_tables.Table(table.name, columns, table.select.replace(
        ", agent, effort, variant, attempt, score, propensity, cached_input_tokens, attributes", ""))  # fmt: skip


def test_an_empty_log_is_columns_without_rows(database: Path, tmp_path: Path, invoke: Invoke) -> None:
    invoke("init")
    assert "0 outcomes exported" in invoke("export-log", "--to", "parquet", tmp_path / "out").output
    assert exported(tmp_path / "out") == []
    connection = store.open_existing(database)
    for name in (log_tables.LOG, *log_tables.OTHER_TABLES):
        (file,) = (tmp_path / "out" / name).glob("**/*.parquet")
        assert parquet.read_schema(file).names == log_tables.table(connection, name).names
    connection.close()


def test_the_other_tables_go_along_as_they_are_now(database: Path, tmp_path: Path, invoke: Invoke) -> None:
    legacy = tmp_path / "old.json"
    for successes in (42, 50):
        legacy.write_text(json.dumps({"code": {"able": {"successes": successes, "failures": 3}}}))
        invoke("import-legacy", legacy)
        invoke("export-log", "--to", "parquet", tmp_path / "out")
    table = parquet.read_table(tmp_path / "out" / "legacy_model_stats" / "rows.parquet")
    assert table.schema.field("successes").type == pyarrow.int64()
    assert sum(table["successes"].to_pylist()) == 50


def test_a_correction_waits_for_the_export_of_its_outcome(database: Path, tmp_path: Path) -> None:
    """Outcome 11 and its correction are recorded while outcomes 6 to 10 are exported."""
    correct = "insert into outcome_corrections (outcome_id, verdict) values (?, 'void')"
    write(database, *outcomes(10))
    other = store.open_to_change(database)
    other.execute(correct, (1,))

    def meanwhile(rows: int) -> None:
        if other.execute("select max(id) from model_outcomes").fetchone() == (10,):
            write(database, *outcomes(1))
            other.executemany(correct, [(11,), (2,)])

    for corrected in ([1], [1, 11, 2]):
        export = parquet_log.export(other, tmp_path / "out", batch=5, progress=meanwhile)
        table = parquet.read_table(tmp_path / "out" / log_tables.CORRECTIONS / "rows.parquet")
        assert table["outcome_id"].to_pylist() == corrected
        assert export.others[log_tables.CORRECTIONS] == len(corrected)
    other.close()


def test_a_killed_export_goes_on_where_it_was(database: Path, tmp_path: Path, invoke: Invoke) -> None:
    """Killed with two batches in place and the third one written, but not yet in its place."""
    write(database, *outcomes(10))
    script = """
import os, signal, sys
from pathlib import Path
from model_outcomes.log import store
from model_outcomes.warehouse.engines import parquet_log
rename = Path.rename
def rename_or_die(path, to):
    if to.name.startswith("batch=000000000000000007"):
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(path, to)
Path.rename = rename_or_die
parquet_log.export(store.open_existing(Path(sys.argv[1])), Path(sys.argv[2]), batch=3)
"""
    folder = tmp_path / "out"
    killed = subprocess.run([sys.executable, "-c", script, database, folder], env={**os.environ, "PYTHONPATH": "."})
    assert killed.returncode == -signal.SIGKILL
    assert [row["id"] for row in exported(folder)] == [1, 2, 3, 4, 5, 6]
    assert list((folder / ".unfinished").glob("*/*/*.parquet"))
    assert "4 outcomes exported" in invoke("export-log", "--to", "parquet", folder).output
    assert [row["id"] for row in exported(folder)] == list(range(1, 11))
    assert not (folder / ".unfinished").exists()


def test_another_log_is_refused(database: Path, tmp_path: Path, invoke: Invoke) -> None:
    write(database, *outcomes(3))
    invoke("export-log", "--to", "parquet", tmp_path / "out")
    database.unlink()
    for number in (2, 3):  # a shorter one, and one with another third outcome
        write(database, *outcomes(number)[1:], *outcomes(number - 1))
        done = invoke("export-log", "--to", "parquet", tmp_path / "out")
        assert done.exit_code == 2
        assert "holds another log" in done.output
        for file in tmp_path.glob("outcomes.db*"):
            file.unlink()
    assert len(exported(tmp_path / "out")) == 3


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (lambda folder: (folder / "precious.txt").write_text("mine"), "holds precious.txt and no exported log"),
        (lambda folder: (folder / "export.json").write_text("{"), "is damaged"),
        (lambda folder: (folder / "export.json").write_text("[" * 100_000), "is damaged"),
        (lambda folder: (folder / "export.json").write_text(
            '{"columns": [], "outcome_id": 0, "sha256": null}'), "is damaged"),
        (lambda folder: (folder / "export.json").write_text(
            '{"format": 1, "columns": [], "outcome_id": {}, "sha256": null}'), "is damaged"),
        (lambda folder: (folder / "export.json").write_text(
            '{"format": 1, "columns": ["id"], "outcome_id": 0, "sha256": null}'), "other columns"),
    ],
)  # fmt: skip
def test_what_is_no_export_of_this_log_stays_as_it_is(
    database: Path, tmp_path: Path, invoke: Invoke, prepare: Callable[[Path], object], said: str
) -> None:
    write(database, *outcomes(1))
    folder = tmp_path / "out"
    folder.mkdir()
    prepare(folder)
    done = invoke("export-log", "--to", "parquet", folder)
    assert done.exit_code == 2
    assert said in done.output
    assert len(list(folder.iterdir())) == 1


def test_a_folder_that_cannot_be_made_is_one_line(database: Path, tmp_path: Path, invoke: Invoke) -> None:
    write(database, *outcomes(1))
    (tmp_path / "file").write_text("")
    done = invoke("export-log", "--to", "parquet", tmp_path / "file" / "out")
    assert (done.exit_code, len(done.output.splitlines())) == (2, 1)
    assert "cannot write to" in done.output


def test_rows_that_do_not_arrive_are_found(database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(database, *outcomes(3))
    arrow = parquet_log._arrow
    monkeypatch.setattr(parquet_log, "_arrow", lambda chunk, schema: arrow(chunk[1:], schema))
    with pytest.raises(OutcomesError, match="2 outcomes were written of 3"):
        parquet_log.export(store.open_existing(database), tmp_path / "out")
    assert parquet_log.exported_to(tmp_path / "out") == 0


def test_texts_that_are_no_utf_8_are_carried_as_well_as_can_be(database: Path, tmp_path: Path, invoke: Invoke) -> None:
    write(database)
    connection = store.create_or_open(database)
    connection.execute(
        f"insert into model_outcomes ({COLUMNS})"
        " values ('code', cast(x'61ff' as text), 1, 0, 0, 0, '2026-01-31T12:00', null)"
    )
    connection.close()
    assert invoke("export-log", "--to", "parquet", tmp_path / "out").exit_code == 0
    assert exported(tmp_path / "out")[0]["model_id"] == "a\N{REPLACEMENT CHARACTER}"
    assert invoke("export-log", "--to", "parquet", tmp_path / "out").exit_code == 0


def lose_a_file(batch: Path) -> None:
    sorted(batch.glob("*/*.parquet"))[0].unlink()


def lose_the_batch(batch: Path) -> None:
    shutil.rmtree(batch)


def cut_a_file_short(batch: Path) -> None:
    file = sorted(batch.glob("*/*.parquet"))[0]
    file.write_bytes(file.read_bytes()[:-10])


def change_a_byte(batch: Path) -> None:
    file = sorted(batch.glob("*/*.parquet"))[0]
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


def add_a_file(batch: Path) -> None:
    file = sorted(batch.glob("*/*.parquet"))[0]
    shutil.copy(file, file.with_name("copy.parquet"))


def lose_the_list(batch: Path) -> None:
    (batch / "_files.json").unlink()


@pytest.mark.parametrize(
    "damage", [lose_a_file, lose_the_batch, cut_a_file_short, change_a_byte, add_a_file, lose_the_list]
)
@pytest.mark.parametrize("is_build", [False, True])
def test_what_is_lost_or_damaged_is_written_again(
    database: Path, tmp_path: Path, damage: Callable[[Path], None], is_build: bool
) -> None:
    folder = tmp_path / "out"
    write(database, *outcomes(4), *outcomes(5, "2026-02-01T12:00:00Z"))
    connection = store.open_existing(database)
    parquet_log.export(connection, folder, batch=3)
    before = exported(folder)
    untouched = next((folder / "model_outcomes").glob("batch=000000000000000007-*/*/*.parquet"))
    written_at = untouched.stat().st_mtime_ns
    damage(folder / "model_outcomes" / "batch=000000000000000004-000000000000000006")
    if is_build:
        assert parquet_log.mend(connection, folder) == 1
        assert parquet_log.mend(connection, folder) == 0
    else:
        assert parquet_log.export(connection, folder).rows == 0
    assert exported(folder) == before
    assert [row["id"] for row in before] == list(range(1, 10))
    assert untouched.stat().st_mtime_ns == written_at
    connection.close()


def test_files_that_were_copied_elsewhere_are_still_whole(database: Path, tmp_path: Path) -> None:
    write(database, *outcomes(4))
    connection = store.open_existing(database)
    parquet_log.export(connection, tmp_path / "out")
    shutil.copytree(tmp_path / "out", tmp_path / "copy", copy_function=shutil.copyfile)
    assert parquet_log.mend(connection, tmp_path / "copy") == 0
    connection.close()


def test_a_batch_that_is_there_twice_is_refused(database: Path, tmp_path: Path, invoke: Invoke) -> None:
    write(database, *outcomes(4))
    invoke("export-log", "--to", "parquet", tmp_path / "out")
    log = tmp_path / "out" / "model_outcomes"
    shutil.copytree(log / "batch=000000000000000001-000000000000000004",
                    log / "batch=000000000000000002-000000000000000004")  # fmt: skip
    done = invoke("export-log", "--to", "parquet", tmp_path / "out")
    assert (done.exit_code, len(done.output.splitlines())) == (2, 1)
    assert "has outcome 2 twice" in done.output


def test_a_lost_file_of_another_table_is_written_again(database: Path, tmp_path: Path) -> None:
    write(database, *outcomes(1))
    connection = store.open_existing(database)
    parquet_log.export(connection, tmp_path / "out")
    lost = tmp_path / "out" / "federated_names" / "rows.parquet"
    lost.unlink()
    parquet_log.mend(connection, tmp_path / "out")
    assert parquet.read_table(lost).num_rows == 0
    connection.close()


@pytest.mark.parametrize("content", ["[" * 100_000, "{}", '{"outcome_id": 1, "columns": [], "sha256": ""}', "7"])
def test_a_descriptor_that_is_none_is_one_line(invoke: Invoke, database: Path, tmp_path: Path, content: str) -> None:
    write(database, *outcomes(1))
    assert invoke("export-log", "--to", "parquet", tmp_path / "out").exit_code == 0
    (tmp_path / "out" / "export.json").write_text(content)
    done = invoke("export-log", "--to", "parquet", tmp_path / "out")
    assert (done.exit_code, "export.json is damaged" in done.stderr) == (2, True)

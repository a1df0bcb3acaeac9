"""Files of strangers: each hostile one is refused whole, with all its faults named, and nothing changes."""

import gzip
import itertools
import json
import resource
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from model_outcomes.base import clock
from model_outcomes.federation.files import RejectedFile, read

from .conftest import HEADER, ROW, Project, export_text

OTHER = {**ROW, "model_id": "other"}
NOISY = {"line": "row", "task_type": "code", "model_id": "able", "successes": 30, "failures": -2, "noise_variance": 2.0}
PRIVATE = {"min_outcomes": 10, "epsilon": 1.0, "mechanism": "discrete_laplace"}


def refused(project: Project, file: Path) -> str:
    before = project.query("select * from federated_imports"), project.query("select * from federated_import_rows")
    done = project.run("import-federated", file)
    assert (done.exit_code, "is rejected, nothing of it was imported" in done.output) == (2, True), done.output
    assert (
        project.query("select * from federated_imports"),
        project.query("select * from federated_import_rows"),
    ) == before
    return done.output


@pytest.fixture
def file(project: Project, tmp_path: Path) -> Path:
    """Where the stranger's file goes; the project has a good one of another project already."""
    good = tmp_path / "good.jsonl"
    good.write_bytes(export_text(ROW, project="cd" * 16))
    project.take(good)
    return tmp_path / "strange.jsonl"


ROWS: dict[str, tuple[dict[str, Any] | str, str]] = {
    "NaN": ('{"line": "row", "tokens": NaN}', "NaN is not JSON"),
    "a number beyond all bounds": ({**ROW, "tokens_squared": 1e300}, "tokens_squared: expected"),
    "infinity": (json.dumps(ROW).replace("500.0", "1e400"), "tokens_squared: expected"),
    "negative n": ({**ROW, "n": -1}, "n: expected int >= 0, got -1"),
    "negative successes": ({**ROW, "successes": -4}, "successes: is negative"),
    "successes above n": ({**ROW, "successes": 51}, "successes: exceeds n"),
    "timeouts above failures": ({**ROW, "timeouts": 11}, "timeouts: exceeds n - successes"),
    "infrastructure above failures": ({**ROW, "infrastructure_failures": 11}, "infrastructure_failures: exceeds"),
    "priced above trials": ({**ROW, "priced": 51}, "priced: exceeds"),
    "more priced successes than priced": ({**ROW, "priced_successes": 3}, "priced_successes: exceeds priced"),
    "cost of successes above cost": ({**ROW, "success_cost_nano_usd": 4 * 10**9}, "success_cost_nano_usd: exceeds"),
    "squares that cannot be": ({**ROW, "tokens_squared": 1.0}, "tokens_squared: cannot be the sum of squares"),
    "a sum over nothing": ({**ROW, "metered": 0}, "tokens: needs a metered trial"),
    "a float as a count": ({**ROW, "n": 50.5}, "n: expected int"),
    "a text as a count": ({**ROW, "n": "50"}, "n: expected int"),
    "a count of 400 digits": (json.dumps(ROW).replace('"n": 50', '"n": 1' + "0" * 400), "n: expected int"),
    "a path": ({**ROW, "model_id": "/etc/passwd"}, "model_id: does not match the pattern"),
    "a path upwards": ({**ROW, "task_type": "a/../../b"}, "task_type: does not match the pattern"),
    "a Windows path": ({**ROW, "task_type": "C:\\Users"}, "task_type: does not match the pattern"),
    "an address": ({**ROW, "model_id": "file://etc"}, "model_id: does not match the pattern"),
    "a line break in a name": ({**ROW, "model_id": "able\n"}, "model_id: does not match the pattern"),
    "a name that steers a terminal": ({**ROW, "model_id": "a\x1b[2J"}, "model_id: does not match the pattern"),
    "a name that is too long": ({**ROW, "model_id": "x" * 201}, "model_id: expected str of length <= 200"),
    "an empty name": ({**ROW, "model_id": ""}, "model_id: expected str of length >= 1"),
    "half a surrogate": (json.dumps(ROW).replace('"able"', '"\\ud800"'), "surrogate"),
    "a day that is none": ({**ROW, "first_day": "2024-02-31"}, "first_day"),
    "days the wrong way round": ({**ROW, "first_day": "2024-01-31"}, "first_day: is after last_day"),
    "a day after the window": ({**ROW, "last_day": "2024-02-01"}, "last_day: is after the window"),
    "a field that the schema does not name": ({**ROW, "task_id": "T-1"}, '"task_id": the schema has no such field'),
    "a field twice": ('{"line": "row", "n": 1, "n": 2}', "given twice"),
    "a field too few": ({name: ROW[name] for name in ROW if name != "tokens"}, "tokens: is missing"),
    "noise in an exact export": ({**ROW, "noise_variance": 1.0}, "noise_variance: is not allowed"),
    "deep nesting": ('{"line": "row", "n": ' + "[" * 8000 + "]" * 8000 + "}", "nested too deeply"),
    "a long line": ('{"line": "row", "n": "' + "x" * 20_000 + '"}', "is over 16,384 bytes"),
    "no object": ("[1, 2]", "expected a JSON object"),
    "no JSON": ("{", "not JSON at column"),
    "neither row nor header": ({"line": "footer"}, "neither a header nor a row"),
}  # fmt: skip


@pytest.mark.parametrize("name", ROWS)
def test_a_row_that_is_none(project: Project, file: Path, name: str) -> None:
    row, said = ROWS[name]
    file.write_bytes(export_text(OTHER, row))
    assert said in refused(project, file)


HEADERS: dict[str, tuple[dict[str, Any], str]] = {
    "a wrong hash": ({"sha256": "0" * 64}, "sha256: the rows are not those that were exported"),
    "a wrong number of rows": ({"rows": 2}, "rows: the header says 2, there are 1"),
    "a wrong version": ({"version": 2}, "is federated_stats version 2, this loader reads federated_stats version 1"),
    "a wrong format": ({"format": "other"}, "is other version 1"),
    "a window in the future": ({"window": "2024-01-01/2999-01-31", "as_of": "2999-02-02T00:00:00Z"},
                               "window: is in the future"),
    "a moment in the future": ({"as_of": "2999-02-02T00:00:00Z"}, "as_of: is in the future"),
    "a window that was not over": ({"as_of": "2024-01-31T12:00:00Z"}, "window: was not over at as_of"),
    "a window that ends first": ({"window": "2024-02-01/2024-01-31"}, "window: ends before it begins"),
    "a window that is none": ({"window": "2024-01-01/2024-02-31"}, "window: day"),
    "a project that is a path": ({"project": "../../etc/passwd"}, "project: does not match the pattern"),
    "a licence that is a program": ({"licence": "<script>"}, "licence: does not match the pattern"),
    "noise without a mechanism": ({"privacy": {**PRIVATE, "mechanism": None}}, "epsilon and mechanism come together"),
    "a privacy block of other things": ({"privacy": {"writers": []}}, "privacy.min_outcomes: is missing"),
    "exact rows as noisy ones": ({"privacy": PRIVATE}, "n: is not allowed in this kind of export"),
    "dated rows as balances": ({"window": "opening"}, "first_day: is not allowed in this kind of export"),
}  # fmt: skip


@pytest.mark.parametrize("name", HEADERS)
def test_a_header_that_is_none(project: Project, file: Path, name: str) -> None:
    header, said = HEADERS[name]
    file.write_bytes(export_text(ROW, **header))
    assert said in refused(project, file)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (export_text(ROW, ROW), "line 3: code, able has a row already"),
        (json.dumps(ROW).encode(), "line 1: a row without a header before it"),
        (b"", "it holds no export"),
        (b"\0" * 5000, "not JSON"),
        (export_text(ROW).replace(b"able", b"\xff\xfe"), "not UTF-8"),
        (gzip.compress(export_text(ROW))[:-9], "the .gz is damaged"),
        (export_text({**NOISY, "noise_variance": 1.0}, privacy=PRIVATE), "noise_variance: is below 2/epsilon^2"),
        (export_text(NOISY, privacy={**PRIVATE, "epsilon": 1e-200}), "noise_variance: is below 2/epsilon^2"),
        (export_text(ROW) + export_text({**ROW, "first_day": "2024-01-31", "last_day": "2024-02-03"},
                                        window="2024-01-31/2024-02-10", as_of="2024-03-01T00:00:00Z"),
         "overlaps 2024-01-01/2024-01-31"),
        (export_text(ROW) + export_text({**ROW, "last_day": "2024-02-03"}, window="2024-02-01/2024-02-10",
                                        as_of="2024-03-01T00:00:00Z"),
         "code, able counts days that its row in 2024-01-01/2024-01-31 counts, too"),
        (export_text(ROW) + export_text(OTHER), "differs from another export with the same as_of"),
    ],
)  # fmt: skip
def test_a_file_that_is_none(project: Project, file: Path, content: bytes, said: str) -> None:
    file.write_bytes(content)
    assert said in refused(project, file)


def test_lists_however_deep(file: Path) -> None:
    """Some can be read, but not told of: that takes more stack."""
    for depth in range(800, 1000):
        file.write_bytes(b"[" * depth + b"]" * depth)
        with pytest.raises(RejectedFile, match=r"line 1: (expected a JSON object|not JSON that can be read)"):
            read(str(file), clock.utc_now())


@pytest.mark.parametrize("command", ["import-federated", "load"])
def test_a_file_whose_name_is_no_text(project: Project, tmp_path: Path, command: str) -> None:
    file = tmp_path / "\udcff.jsonl"
    file.write_bytes(export_text(ROW))
    done = project.run(command, file)
    assert done.exit_code == 2
    assert "\\xff.jsonl: the name is not UTF-8" in done.output
    assert project.query("select source from federated_imports union all select source from load_history") == []


def test_a_gigabyte_of_zeros_packed_to_a_megabyte(project: Project, file: Path) -> None:
    with gzip.open(file, "wb", compresslevel=1) as packed:
        for _ in range(1024):
            packed.write(b"\0" * 2**20)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "line 1: is over 16,384 bytes" in refused(project, file)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000, "it is not unpacked"


def test_a_gigabyte_of_blank_lines_packed_to_a_megabyte(project: Project, file: Path) -> None:
    with gzip.open(file, "wb", compresslevel=1) as packed:
        for _ in range(128):
            packed.write((b" " * 8191 + b"\n") * 128)
    assert "the file has over 100,000,000 bytes" in refused(project, file)


@pytest.mark.parametrize(
    ("line", "said"),
    [(lambda number: b"x\n", "line 100: not JSON"),
     (lambda number: b'{"line":"row"}\n', "line 2: model_id: is missing"),
     (lambda number: b'{"line":"header"}\n', "is None version None"),
     (lambda number: export_text('{"line": "row"}', rows=0), "line 1: rows: the header says 0"),
     (lambda number: json.dumps({**ROW, "model_id": f"m{number}"}).encode() + b"\n", "there are 10,001")],
    ids=["no JSON", "rows without a header", "headers that are none", "sections with a row too many", "rows too many"],
)  # fmt: skip
def test_little_is_kept_of_what_is_refused(file: Path, line: Callable[[int], bytes], said: str) -> None:
    with file.open("wb") as written:
        written.write(export_text(ROW) if said == "there are 10,001" else b"")
        written.writelines(line(number) for number in range(10_000))
    tracemalloc.start()
    with pytest.raises(RejectedFile) as fault:
        read(str(file), clock.utc_now())
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert said in str(fault.value)
    assert peak < 500_000


def test_every_fault_is_named_at_once(project: Project, file: Path) -> None:
    file.write_bytes(export_text({**ROW, "n": -1, "extra": 1}, {**OTHER, "successes": 99}, rows=7, project="x"))
    said = refused(project, file)
    for fault in (
        "line 1: project: does not match the pattern",
        "line 2: n: expected",
        'line 2: "extra": the schema has no such',
    ):
        assert fault in said
    file.write_bytes(export_text({**ROW, "n": -1}, {**OTHER, "successes": 99}, rows=7))
    said = refused(project, file)
    for fault in ("line 2: n: expected", "line 3: successes: exceeds n", "line 1: rows: the header says 7"):
        assert fault in said


def test_a_bad_file_does_not_keep_a_good_one_out(project: Project, file: Path, tmp_path: Path) -> None:
    file.write_bytes(b"{}")
    good = tmp_path / "another.jsonl"
    good.write_bytes(export_text(ROW, project="ef" * 16))
    done = project.run("import-federated", file, good, tmp_path / "missing", tmp_path)
    assert done.exit_code == 2
    assert len(project.query("select * from federated_imports")) == 2
    assert "No such file" in done.output
    assert "Is a directory" in done.output


def test_an_export_of_ones_own_is_refused(project: Project, new_project: Callable[[str], Project]) -> None:
    project.record([{}] * 12)
    project.export()
    assert "is an export of this project itself" in refused(project, project.file)
    assert new_project("other").take(project.file).output.count("1 cells, new") == 1


def test_known_older_newer(project: Project, file: Path) -> None:
    """Whatever the order, the latest export of a window holds; a packed or mailed copy is the same one."""

    def take(**header: object) -> str:
        file.write_bytes(export_text({**ROW, "n": header.pop("n", 50)}, **header))
        return project.take(file).output.split("cells, ")[1].split()[0]

    assert take() == "new"
    assert take() == "known"
    assert take(n=60, as_of="2024-02-01T09:00:00.000001Z") == "replaced"
    assert take() == "older"
    (most,) = project.query("select max(outcomes) as n from federated_import_rows")
    assert most == {"n": 60}
    latest = export_text({**ROW, "n": 60}, as_of="2024-02-01T09:00:00.000001Z")
    file.write_bytes(gzip.compress(latest.replace(b"\n", b"\r\n")))
    assert "known" in project.take(file).output


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_rows_that_came_back_are_the_latest_in_whatever_order(
    project: Project, file: Path, order: tuple[int, ...]
) -> None:
    """An alias was made and taken back: the third export has the rows of the first."""
    texts = [export_text({**ROW, "n": n}, as_of=f"2024-02-0{day}T09:00:00Z") for day, n in ((1, 50), (2, 60), (3, 50))]
    for index in order:
        file.write_bytes(texts[index])
        project.take(file)
    standing = project.query(
        "select as_of, outcomes from federated_imports join federated_import_rows using (import_id) where project = ?",
        HEADER["project"],
    )
    assert standing == [{"as_of": "2024-02-03T09:00:00Z", "outcomes": 50}]


def test_standard_input_and_noisy_exports_are_taken_too(project: Project) -> None:
    text = export_text(NOISY, window="opening", privacy=PRIVATE, project="12" * 16)
    done = project.run("import-federated", "-", input=text)
    assert (done.exit_code, "1 cells, new" in done.output) == (0, True), done.output
    assert project.query("select successes, failures, noise_variance, outcomes from federated_import_rows") == [
        {"successes": 30, "failures": -2, "noise_variance": 2.0, "outcomes": None}
    ]
    assert str(HEADER["project"]) not in done.output

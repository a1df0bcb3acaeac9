"""Wrong rows in the user's seeds: one line that names the file, the line and the fault, before dbt starts."""

import csv
import re
from pathlib import Path

import pytest

from model_outcomes.base import settings
from model_outcomes.warehouse import seeds

from .conftest import PROJECT

EMPTY = PROJECT / "workspace" / "seeds"
ALIASES = "alias,model_id\n"
EXPERIMENTS = (EMPTY / "ab_experiments.csv").read_text()
TIMES = "e1,code,able,baker,{},{},0.5\n"

# Name of the seed, its text, the line of the fault (0: the file as a whole), the message.
WRONG = {
    "a date with slashes": (
        "ab_experiments", EXPERIMENTS + TIMES.format("05/01/2026", ""), 2,
        "started_at 05/01/2026 is no ISO 8601 time such as 2026-01-31 or 2026-01-31T12:00:00Z",
    ),
    "a day that does not exist": (
        "ab_experiments", EXPERIMENTS + TIMES.format("2026-01-01", "2026-02-30"), 2,
        "ended_at 2026-02-30 is no ISO 8601 time such as 2026-01-31 or 2026-01-31T12:00:00Z",
    ),
    "ended before it started": (
        "ab_experiments", EXPERIMENTS + TIMES.format("2026-02-01", "2026-01-31"), 2,
        "ended_at 2026-01-31 is before started_at 2026-02-01",
    ),
    "ended before it started, by its offset": (
        "ab_experiments", EXPERIMENTS + TIMES.format("2026-02-01T12:00:00Z", "2026-02-01T13:00:00+02:00"), 2,
        "ended_at 2026-02-01T13:00:00+02:00 is before started_at 2026-02-01T12:00:00Z",
    ),
    "a percentage": (
        "ab_experiments", EXPERIMENTS + "e1,,able,baker,2026-01-01,,50%\n", 2,
        "challenger_share 50% is no number from 0 to 1, such as 0.5",
    ),
    "a share over 1": (
        "ab_experiments", EXPERIMENTS + "e1,,able,baker,2026-01-01,,0.5\ne2,,able,baker,2026-01-01,,1.5\n", 3,
        "challenger_share 1.5 is no number from 0 to 1, such as 0.5",
    ),
    "a share that is no number": (
        "ab_experiments", EXPERIMENTS + "e1,,able,baker,2026-01-01,,nan\n", 2,
        "challenger_share nan is no number from 0 to 1, such as 0.5",
    ),
    "a model against itself": (
        "ab_experiments", EXPERIMENTS + "e1,,able,able,2026-01-01,,\n", 2,
        "incumbent and challenger are the same model, able",
    ),
    "an experiment twice": (
        "ab_experiments", EXPERIMENTS + 2 * TIMES.format("2026-01-01", ""), 3, "experiment_id e1 is on line 2 already",
    ),
    "no start": ("ab_experiments", EXPERIMENTS + TIMES.format("", ""), 2, "started_at is empty"),
    "an alias twice": (
        "model_aliases", ALIASES + "able-1,able\nable-2,able\nable-1,baker\n", 4, "alias able-1 is on line 2 already",
    ),
    "a chain": (
        "model_aliases", ALIASES + "able-1,able-2\nable-2,able\n", 2,
        "able-2 is itself an alias, of able (line 3): write able here",
    ),
    "a cycle": (
        "model_aliases", ALIASES + "x,y\nable,baker\nbaker,able\n", 3,
        "baker is itself an alias, of able (line 4): one of the two lines must go",
    ),
    "an alias of itself": ("model_aliases", ALIASES + "able,able\n", 2, "able is an alias of itself: remove the line"),
    "a chain of task types": (
        "task_type_aliases", "alias,task_type\na,b\nb,c\n", 2, "b is itself an alias, of c (line 3): write c here",
    ),
    "an attribution that does not exist": (
        "error_types", "error_type,attribution\nproxy,infra\n", 2,
        "attribution infra is neither infrastructure nor model",
    ),
    "two incumbents": (
        "incumbents", "task_type,model_id\ncode,able\ncode,baker\n", 3, "task_type code is on line 2 already",
    ),
    "no model": ("incumbents", "task_type,model_id\ncode, \n", 2, "model_id is empty"),
    "null, which dbt reads as empty": (
        "incumbents", "task_type,model_id\ncode,NULL\n", 2, "model_id is empty, because dbt reads null as empty",
    ),
    "semicolons": (
        "model_aliases", "alias;model_id\nable-1;able\n", 1,
        "semicolons separate the columns: save the file as CSV with commas (alias,model_id)",
    ),
    "tabs": (
        "model_aliases", "alias\tmodel_id\n", 1,
        "tabs separate the columns: save the file as CSV with commas (alias,model_id)",
    ),
    "semicolons below a header with commas": (
        "model_aliases", ALIASES + "able-1;able\n", 2, "1 value in place of 2 (semicolons separate it, not commas)",
    ),
    "another header": (
        "model_aliases", "name,model\n", 1, "the header must be alias,model_id, got name,model",
    ),
    "a header with a blank": (
        "model_aliases", "alias, model_id\n", 1, "the header must be alias,model_id, got alias, model_id",
    ),
    "an empty file": ("model_aliases", "", 1, "the header must be alias,model_id"),
    "a value too many": ("model_aliases", ALIASES + "able-1,able,\n", 2, "3 values in place of 2"),
    "an empty line": ("model_aliases", ALIASES + "a,b\n\nc,d\n", 3, "an empty line: remove it"),
    "an empty line of a spreadsheet": ("model_aliases", ALIASES + "a,b\n,\n", 3, "an empty line: remove it"),
    "a quote that nothing closes": (
        "model_aliases", ALIASES + 'a,b\n"c,d\n', 3, "this is not CSV: unexpected end of data",
    ),
    "a fault below a value of two lines": (
        "model_aliases", ALIASES + '"two\nlines",able\nx,x\n', 4, "x is an alias of itself: remove the line",
    ),
    "Latin-1": (
        "model_aliases", (ALIASES + "a,b\n").encode() + "cafe,café\n".encode("latin-1"), 3,
        "this is not UTF-8: save the file as CSV UTF-8",
    ),
    "UTF-16": ("model_aliases", ALIASES.encode("utf-16"), 1, "this is not UTF-8: save the file as CSV UTF-8"),
    "a page of a name": (
        "error_types", f"error_type,attribution\nproxy,{'x' * 1000}\n", 2,
        f"attribution {'x' * 60}… is neither infrastructure nor model",
    ),
    "too large": ("model_aliases", ALIASES + 2**20 * "x", 0, "it is larger than 1,048,576 bytes"),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The seeds of a new workspace."""
    folder = tmp_path / "seeds"
    folder.mkdir()
    for path in EMPTY.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


def fault(folder: Path) -> str:
    with pytest.raises(seeds.SeedError) as raised:
        seeds.check(folder)
    return str(raised.value)


@pytest.mark.parametrize(("seed", "text", "line", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_row_is_named(folder: Path, seed: str, text: str | bytes, line: int, message: str) -> None:
    path = folder / f"{seed}.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert fault(folder) == f"{path}{f', line {line}' if line else ''}: {message}"


def test_a_model_against_its_own_alias_is_named(folder: Path) -> None:
    (folder / "model_aliases.csv").write_text(ALIASES + "able-1,able\n")
    (folder / "ab_experiments.csv").write_text(EXPERIMENTS + "e1,,able,able-1,2026-01-01,,\n")
    assert fault(folder).endswith(
        "line 2: incumbent and challenger are the same model, able-1,"
        " because one is an alias of the other or both are of a third"
    )


def test_several_faults_are_one_line_in_the_order_of_the_files(folder: Path) -> None:
    (folder / "incumbents.csv").write_text("task_type,model_id\n" + "code,able\n" * 4)
    (folder / "model_aliases.csv").write_text(ALIASES + "c,c\na,a\n")
    message = fault(folder)
    assert re.findall(r"(\w+)\.csv, line (\d+)", message) == [
        ("model_aliases", "2"), ("model_aliases", "3"), ("incumbents", "3")
    ]  # fmt: skip
    assert message.endswith("; and 2 more")
    assert "\n" not in message


def test_a_missing_seed_says_how_to_get_it(folder: Path) -> None:
    (folder / "incumbents.csv").unlink()
    path = folder / "incumbents.csv"
    assert fault(folder) == f"{path}: there is no such file: `loader init {folder.parent}` writes it with its header"


@pytest.mark.parametrize(
    ("seed", "text"),
    [
        ("model_aliases", b"\xef\xbb\xbf" + ALIASES.encode() + b"able-1,able\r\n"),  # Excel's CSV UTF-8
        ("model_aliases", b"model_id,alias\nable,able-1\nable,able-2\n"),
        ("model_aliases", ALIASES.encode() + b'"a,1",able\n"007",7\nabl\xc3\xa9,able'),
        ("ab_experiments", f"{EXPERIMENTS}{TIMES.format('2026-01-01', '2026-01-01')}".encode()),
        ("ab_experiments", f"{EXPERIMENTS}{TIMES.format('2026-01-01 12:00', '2026-01-01T12:00:00.1+00:00')}".encode()),
        ("ab_experiments", f"{EXPERIMENTS}e1,,ab,c,2026-01-01T00:00:00Z,,0\ne2,,a,b,2026-01-01,null,1\n".encode()),
    ],
    ids=["a byte order mark", "columns in another order", "quotes and letters", "an empty span", "times", "shares"],
)  # fmt: skip
def test_right_rows_have_no_fault(folder: Path, seed: str, text: bytes) -> None:
    (folder / f"{seed}.csv").write_bytes(text)
    seeds.check(folder)


def test_the_seeds_of_the_empty_workspace_and_of_the_sample_have_the_same_columns_and_no_fault() -> None:
    assert list(seeds.SEEDS) == list(settings.SEED_FILES)
    for where in (EMPTY, PROJECT / "sample" / "seeds"):
        seeds.check(where)
        assert {path.stem for path in where.glob("*.csv")} == set(seeds.SEEDS)
        for name, seed in seeds.SEEDS.items():
            with (where / f"{name}.csv").open(newline="") as file:
                assert tuple(next(csv.reader(file))) == seed.columns
    assert all(len(path.read_text().splitlines()) == 1 for path in EMPTY.iterdir())

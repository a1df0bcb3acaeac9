"""Copies of lines that have no event_id add nothing, a mended file adds its mended lines, and repeats are named."""

import random
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from model_outcomes.intake import loads
from model_outcomes.intake.writer import Writer
from model_outcomes.log import store

pytestmark = pytest.mark.usefixtures("made")

HEADER = "task_type,model_id,success,timestamp"


def records(*numbers: int, verdict: str = "true") -> str:
    return "".join(f"tidy,wren-{number},{verdict},2026-03-{number + 1:02}T08:00:00Z\n" for number in numbers)


@pytest.fixture
def models(query):
    return lambda: Counter(model for (model,) in query("select model_id from model_outcomes"))


def test_a_mended_file_adds_the_mended_lines(invoke, models, query, tmp_path: Path) -> None:
    file = tmp_path / "log.csv"
    broken = records(2, verdict="perhaps")
    file.write_text(f"{HEADER}\n{records(0, 1)}{broken}{records(3, 3)}")
    assert "4 accepted, 0 duplicates, 1 rejected" in invoke("load", file).stdout
    file.write_text(f"{HEADER}\n{records(0, 1)}{records(2)}{records(3, 3, 3)}")
    for counts in ("2 accepted, 4 duplicates, 0 rejected", "0 accepted, 0 duplicates, 0 rejected"):
        result = invoke("load", file)
        assert counts in result.stdout
        assert ("4 lines equal outcomes" in result.stderr) == ("2 accepted" in counts)
    assert models() == {"wren-0": 1, "wren-1": 1, "wren-2": 1, "wren-3": 3}
    file.write_text(f"{HEADER}\n{records(0, 1, 2)}")
    assert "0 accepted, 3 duplicates" in invoke("load", file).stdout
    file.write_text(f"{HEADER}\n{records(1, 0)}")
    assert "2 accepted, 0 duplicates" in invoke("load", "--distinct", file).stdout
    assert models()["wren-0"] == 2


def test_a_change_of_the_same_length_in_the_middle_is_noticed(invoke, query, line, tmp_path: Path) -> None:
    lines = [line(model_id="wren", task_id=f"task-{number:04}") for number in range(3_000)]
    file = tmp_path / "log.jsonl"
    file.write_bytes(b"".join(lines))
    assert file.stat().st_size > 2 * 128 * 1024
    invoke("load", file)
    lines[1_500] = lines[1_500].replace(b"true", b"null")
    file.write_bytes(b"".join(lines))
    assert "0 accepted, 2,999 duplicates, 1 rejected" in invoke("load", file).stdout
    lines[1_500] = lines[1_500].replace(b"null", b"true").replace(b"task-1500", b"task-9999")
    file.write_bytes(b"".join(lines) + lines[0])
    assert "2 accepted, 2,999 duplicates" in invoke("load", file).stdout
    assert query("select count(*), count(distinct task_id) from model_outcomes") == [(3_002, 3_001)]
    # Older versions kept no checksum: their loads are recognized as before.
    with closing(store.create_or_open(tmp_path / "outcomes.db")) as connection:
        connection.execute("update load_history set content_crc32 = null")
    with file.open("ab") as log:
        log.write(lines[0])
    assert "1 accepted, 0 duplicates" in invoke("load", file).stdout


@pytest.mark.parametrize("seed", range(6))
def test_each_load_leaves_the_larger_count_of_each_line(
    database: Path, query, line, tmp_path: Path, monkeypatch, seed: int
) -> None:
    """Files of lines at few times, loaded one after the other, some with kills: of each line the log has as many as the
    file that had most."""
    dice = random.Random(seed)
    monkeypatch.setattr("model_outcomes.intake.sources.LINE_LIMIT_BYTES", 2_000)
    monkeypatch.setattr("model_outcomes.intake.copies.KEYS_PER_QUERY", 3)
    most: Counter[bytes] = Counter()
    write = Writer.write
    for number in range(4):
        days = range(1, dice.choice((2, 8)))
        lines = [
            line(model_id=f"wren-{dice.randrange(3)}", timestamp=f"2026-03-0{dice.choice(days)}T08:00:00Z")
            for _ in range(150)
        ]
        file = tmp_path / f"{number}.jsonl"
        file.write_bytes(b"".join(lines))
        left = dice.randrange(10)

        def killed(writer: Writer, batch) -> None:
            nonlocal left
            left -= 1
            if left == 0:
                raise KeyboardInterrupt
            write(writer, batch)

        monkeypatch.setattr(Writer, "write", killed)
        with closing(store.create_or_open(database)) as connection:
            try:
                loads.load_file(connection, str(file))
            except KeyboardInterrupt:
                loads.load_file(connection, str(file))
        most |= Counter(lines)
        assert query("select count(*) from model_outcomes") == [(most.total(),)]


def test_a_repeated_event_id_with_other_values_is_named(invoke, query, line) -> None:
    first = line(event_id="e1", cost_usd=0.25) + line(event_id="e2")
    again = [
        line(event_id="e1", cost_usd=0.25, timestamp="2026-01-31T13:00:00+01:00"),  # the same time
        line(event_id="e1", cost_usd=0.5),
        line(event_id="e2", timestamp="2026-01-31T12:00:01Z"),
        line(event_id="e2", tokens_used=7),
        line(event_id="e2", model_id="other"),
        line(event_id="e3"),
        line(event_id="e3", tokens_used=1),
    ]
    assert "unique" not in invoke("load", "-", input=first).stderr
    result = invoke("load", "-", input=b"".join(again))
    assert "1 accepted, 5 duplicates, 1 rejected" in result.stdout
    assert "4 events repeat an event_id with other values: is event_id unique?" in result.stderr

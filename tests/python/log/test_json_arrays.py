"""A JSON array comes apart into its elements: wherever the windows of the reading end, and in little memory."""

import io
import json
import random
import tracemalloc
from typing import Any

import pytest

from model_outcomes.intake import json_arrays


def elements(text: bytes) -> list[Any]:
    lines = io.BytesIO()
    json_arrays.write_lines(io.BytesIO(text), lines)
    return [json.loads(line) for line in lines.getvalue().split(b"\n")[:-1]]


def value(chance: random.Random, depth: int = 0) -> Any:
    """Anything that JSON can hold, with the characters that could mislead a splitter."""
    kind = chance.randrange(8 if depth < 4 else 5)
    if kind == 0:
        return chance.choice([0, 1, -2.5, True, None, 1e300])
    if kind in (1, 2):
        return "".join(chance.choice('ab"\\[]{},\n\r :é\u2028') for _ in range(chance.randrange(8)))
    if kind == 5:
        return [value(chance, depth + 1) for _ in range(chance.randrange(4))]
    if kind in (3, 4):
        return {f"{number}{chance.choice('[{')}": chance.choice([1, "x,]}", None]) for number in range(3)}
    return {f"{number}\\": value(chance, depth + 1) for number in range(chance.randrange(4))}


@pytest.mark.parametrize("chunk", [48, 49, 53, 70, 1_000_000])
@pytest.mark.parametrize("indent", [None, 1])
def test_the_elements_are_those_that_json_loads_finds(
    monkeypatch: pytest.MonkeyPatch, chunk: int, indent: int | None
) -> None:
    monkeypatch.setattr(json_arrays, "CHUNK_BYTES", chunk)
    chance = random.Random(17)
    for number in range(150):
        array = [value(chance) for _ in range(number % 6)]
        text = json.dumps(array, indent=indent, ensure_ascii=bool(number % 2)).encode()
        assert elements(text) == array
        for cut in range(1, len(text), 11):
            with pytest.raises(EOFError):
                elements(text[:cut])


@pytest.mark.parametrize(
    ("text", "fault"),
    [(b"", "does not begin"), (b"{}", "does not begin"), (b"[1 2]", "byte 2"), (b"[1,]", "byte 4"), (b"[,1]", "byte 2"),
     (b"[1]]", "more follows its end at byte 4"), (b"[1] x", "byte 5"), (b"[nonsense]", "byte 2"),
     (b'["a" "b"]', "a comma at byte 6"), (b'[{"a": 1}{}]', "byte 10"), (b"[\xff]", "byte 2"), (b"[1\0]", "byte 2")],
)  # fmt: skip
def test_what_is_no_array_is_said_with_its_place(text: bytes, fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        elements(text)


def test_a_newline_within_a_string_stays_a_fault() -> None:
    with pytest.raises(json.JSONDecodeError, match="control character"):
        elements(b'[{"a": "b\nc"}]')


class Repeated(io.RawIOBase):
    """A stream of pieces, each again and again, that takes no memory itself."""

    def __init__(self, times: int, begin: bytes, piece: bytes, closing: bytes, end: bytes) -> None:
        self.parts = [begin, *[piece] * times, *[closing] * times, end]

    def read(self, size: int = -1) -> bytes:
        return self.parts.pop(0) if self.parts else b""


class Nowhere(io.RawIOBase):
    def write(self, data: Any) -> int:
        return len(data)


def peak(times: int, *parts: bytes) -> int:
    """Bytes of memory that a stream of so many pieces takes."""
    tracemalloc.start()
    try:
        json_arrays.write_lines(Repeated(times, *parts), Nowhere())  # type: ignore[arg-type]
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "parts",
    [(b"[", b"0," * 100_000, b" ", b"0]"), (b"[", b"[" * 200_000, b"]" * 200_000, b"]"),
     (b'["', b"x" * 200_000, b"y", b'"]'), (b"[", b'{"a": {"b": "c"}},' * 10_000, b" ", b"0]")],
    ids=["zeros", "brackets", "a string", "objects"],
)  # fmt: skip
def test_neither_the_size_nor_the_depth_of_an_array_takes_memory(
    parts: tuple[bytes, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(json_arrays, "CHUNK_BYTES", 100_000)  # less than a piece: the memory is full from the first on
    assert peak(7, *parts) < peak(4, *parts) + 100_000

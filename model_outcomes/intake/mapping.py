"""Mappings: each is one SELECT that turns a tool's documents into outcomes, with a comment above it that says for what.

The comment begins with lines of these keys (an unknown key is plain text):

    -- title: an Inspect log
    -- files: *.eval, *.json            names of its files in a folder; with a / the last parts of the path
    -- members: header.json             the members of a zip that the SELECT reads
    -- tables: eval_results             tables of a database whose rows are documents (member is the table)
    -- group: file                      one SELECT for each file; or `folder`, or `all` (the default)
    -- recognise: evalId promptIdx | member:header.json | table:eval_results
    -- :timestamp (required) the time of the run
"""

from __future__ import annotations

import codecs
import re
import sqlite3
import zipfile
from collections.abc import Iterator
from collections.abc import Mapping as Map
from contextlib import closing
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import BinaryIO

from model_outcomes.base.errors import OutcomesError

SHIPPED = Path(__file__).parent / "mappings"
USAGE = SHIPPED / "usage"
SIZE_LIMIT_BYTES = 1_000_000
BEGINNING_BYTES = 1 << 16  # of a file, by which its tool is recognized
# The parameters, with the meaning that holds unless a mapping says it better.
PARAMETERS = {
    "task_type": "the kind of task",
    "model_id": "the model",
    "timestamp": "the time, with an offset, if the files have none",
    "score": "the name of the score that decides",
    "scorer": "the scorer that decides",
    "threshold": "a score from this number on is a success",
    "lower_is_better": "a score up to the threshold is a success",
    "zone": "the time zone of times without an offset, such as Europe/Berlin",
}
GROUPS = ("file", "folder", "all")
_KEY = re.compile(r"--\s*(title|files|members|tables|each|group|recognise|versions):\s*(.*)")
_EACH = re.compile(r"\$(\.\w+)+")
_PARAMETER = re.compile(r"--\s*:(\w+)\s*(\(required\))?\s*(.*)")
_USED = re.compile(r":([a-z_]+)\b")
_OURS = re.compile(rb'"(task_type|taskType)"\s*:')
NO_VERDICT = "it has no verdict; join it with one in a mapping (docs/guides/other-tools.md)"
_OF_DATABASE = re.compile(r"\b(from|join)\s+source\.", re.IGNORECASE)
QUOTE = '"'
SQLITE_MAGIC = b"SQLite format 3\0"


class MissingParameterError(OutcomesError):
    """A mapping needs a parameter that was not given: the same files can be loaded with it."""


@dataclass(frozen=True)
class Mapping:
    """A mapping as its file defines it. `parameters` has the meaning of each that it takes, `required` the names of
    those that it needs. `each` is the path of an array whose elements
    are documents. `rules` are alternatives, each the words that a file of the tool has."""

    name: str
    sql: str
    title: str
    files: tuple[str, ...]
    members: tuple[str, ...]
    tables: tuple[str, ...]
    each: str | None
    group: str
    rules: tuple[tuple[str, ...], ...]
    versions: str
    parameters: Map[str, str]
    required: tuple[str, ...]

    @property
    def reads_database(self) -> bool:
        """Return True if the SELECT reads the tables of a database as they are."""
        return _OF_DATABASE.search(self.sql) is not None

    def check(self, values: Map[str, object]) -> None:
        """Raise OutcomesError if a value is given that the mapping does not take, or a required one is missing."""
        for name in values:
            if name not in self.parameters:
                options = ", ".join(map(option, self.parameters))
                raise OutcomesError(f"{self.name} takes no {option(name)}; it takes {options}")
        if missing := [name for name in self.required if name not in values]:
            raise MissingParameterError(self.request(missing))

    def request(self, missing: list[str]) -> str:
        """Return the sentence that asks for parameters."""
        wanted = ", ".join(f"{option(name)} ({self.parameters[name]})" for name in missing)
        return f"{self.name} needs {wanted}"


def option(parameter: str) -> str:
    opposite = " or --higher-is-better" if parameter == "lower_is_better" else ""
    return f"--{parameter.replace('_', '-')}{opposite}"


@cache
def shipped() -> Map[str, Mapping]:
    """Return the shipped mappings by their names."""
    return {path.stem: read(path) for path in sorted(SHIPPED.glob("*.sql"))}


@cache
def usage() -> Map[str, Mapping]:
    """Return the SELECTs over the usage logs of tools, which have no verdict, by the tools' names."""
    return {path.stem: read(path) for path in sorted(USAGE.glob("*.sql"))}


def named(name: str) -> Mapping:
    """Return a shipped mapping, or that of a file if `name` ends with .sql. Raises OutcomesError."""
    if name.endswith(".sql"):
        return read(Path(name))
    if name in usage():
        raise OutcomesError(f"{name} is {usage()[name].title}: {NO_VERDICT}")
    if name not in shipped():
        raise OutcomesError(
            f"there is no mapping {name}: name one of {', '.join(shipped())}, or a file that ends in .sql"
        )
    return shipped()[name]


def read(path: Path) -> Mapping:
    """Read the mapping in a file. Raises OutcomesError if it cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(SIZE_LIMIT_BYTES + 1)
        text = data.decode("utf-8")
    except OSError as fault:
        raise OutcomesError(f"the mapping {path}: {fault.strerror}") from None
    except UnicodeDecodeError:
        raise OutcomesError(f"the mapping {path} is not UTF-8") from None
    if len(data) > SIZE_LIMIT_BYTES or "\0" in text:
        raise OutcomesError(f"the mapping {path} is no SQL, or longer than {SIZE_LIMIT_BYTES:,} bytes")
    keys: dict[str, str] = {}
    # Times without an offset are converted after the SELECT, so every mapping takes a zone.
    parameters = {"zone": PARAMETERS["zone"]}
    required = []
    for line in text.splitlines():
        if match := _KEY.match(line):
            keys[match[1]] = match[2].strip()
        elif (match := _PARAMETER.match(line)) and match[1] in PARAMETERS:
            parameters[match[1]] = match[3].strip() or PARAMETERS[match[1]]
            required += [match[1]] if match[2] else []
    code = re.sub(r"--.*|'[^']*'", "", text)
    parameters |= {
        name: PARAMETERS[name] for name in _USED.findall(code) if name in PARAMETERS and name not in parameters
    }
    group = keys.get("group", "all")
    if group not in GROUPS:
        raise OutcomesError(f"the mapping {path}: group is {group}, expected one of {', '.join(GROUPS)}")
    each = keys.get("each")
    if each is not None and not _EACH.fullmatch(each):
        raise OutcomesError(f"the mapping {path}: each is {each}, expected a path such as $.results")
    if each and "members" in keys:
        raise OutcomesError(f"the mapping {path}: each is for files, and members for those in a zip: leave one out")
    return Mapping(
        path.stem, text, keys.get("title", f"input of {path.name}"), _listed(keys.get("files", "*")),
        _listed(keys.get("members", "")), _listed(keys.get("tables", "")), each, group,
        tuple(tuple(rule.split()) for rule in keys.get("recognise", "").split("|") if rule.strip()),
        keys.get("versions", ""), {name: parameters[name] for name in PARAMETERS if name in parameters},
        tuple(required),
    )  # fmt: skip


def _listed(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def refuse_tools(name: str, stream: BinaryIO) -> None:
    """Raise OutcomesError if an open file belongs to a tool that a shipped mapping knows."""
    tool = recognised(stream)
    if tool and tool.name in usage():
        raise OutcomesError(f"{name} is {tool.title}: {NO_VERDICT}")
    if tool:
        raise OutcomesError(f"{name} is {tool.title}: load it with --as {tool.name}")


def recognised(stream: BinaryIO) -> Mapping | None:
    """Return the shipped mapping that an open file belongs to, None if it belongs to none. The stream is read from
    its beginning, and set back to it."""
    stream.seek(0)
    beginning = stream.read(BEGINNING_BYTES)
    stream.seek(0)
    facts = set(_facts(beginning, stream))
    stream.seek(0)
    if _OURS.search(beginning):
        return None
    if facts & {"column:task_type", "column:success"}:
        return None
    for mapping in (*shipped().values(), *usage().values()):
        for rule in mapping.rules:
            if all(word in facts if ":" in word else _has_key(word, beginning) for word in rule):
                return mapping
    return None


def _has_key(word: str, beginning: bytes) -> bool:
    return re.search(rb'"' + word.encode() + rb'"\s*:', beginning) is not None


def _facts(beginning: bytes, stream: BinaryIO) -> Iterator[str]:
    """Yield the members of a zip as `member:NAME`, and the tables of an SQLite database as `table:NAME`."""
    if beginning.startswith(b"PK"):
        try:
            yield from (f"member:{name}" for name in zipfile.ZipFile(stream).namelist())
        except (zipfile.BadZipFile, NotImplementedError, OSError, ValueError):
            return
    elif beginning.startswith(SQLITE_MAGIC):
        for name in _tables(beginning, stream):
            yield f"table:{name}"
    elif not beginning.lstrip().startswith((b"{", b"[")):
        header = beginning.removeprefix(codecs.BOM_UTF8).partition(b"\n")[0].decode("utf-8", "replace")
        yield from (f"column:{cell.strip().strip(QUOTE)}" for cell in re.split(r"[,;\t|]", header))


def _tables(beginning: bytes, stream: BinaryIO) -> list[str]:
    """Return the tables of a database by its schema; of a stream without a name, those that its first pages name."""
    path = getattr(stream, "name", None)
    if isinstance(path, str) and Path(path).is_file():
        uri = f"{Path(path).absolute().as_uri()}?mode=ro&immutable=1"
        try:
            with closing(sqlite3.connect(uri, uri=True)) as connection:
                return [name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")]
        except sqlite3.Error:
            pass
    return [match[1].decode() for match in re.finditer(rb'CREATE TABLE\s+["`\[]?(\w+)', beginning, re.IGNORECASE)]

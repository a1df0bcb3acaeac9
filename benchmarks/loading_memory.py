"""The memory of `loader load` as the file grows: flat, and under 200 MB (peak resident set of the process).

Four sizes, the last of which has `--lines` lines of 2.5 kB each: with 2,000,000 it is 5 GB.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks import outcomes
from benchmarks.measuring import print_table, say

SHARES = (0.01, 0.1, 0.5, 1.0)
LOAD = "from loader.cli import main; main()"


def main(folder: Path, lines: int) -> None:
    table = []
    for share in SHARES:
        path, count = folder / "large.jsonl", int(lines * share)
        say(f"writing {count:,} long lines")
        with path.open("w") as file:
            for values in outcomes.invented(count):
                file.write(json.dumps({**values, "note": "x" * 2_100}) + "\n")
        size = path.stat().st_size
        outcomes.fresh_log(folder, "memory.db").close()
        command = [sys.executable, "-c", LOAD, "--db", str(folder / "memory.db"), "load", str(path)]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        if status:
            raise SystemExit(f"loader load failed on {path}")
        table.append((f"{count:,}", f"{size / 1e9:.2f} GB", f"**{used.ru_maxrss / 1024:.0f} MB**"))
        path.unlink()
    print_table("Memory of a load (target: flat, < 200 MB)", ("lines", "file", "peak"), table)

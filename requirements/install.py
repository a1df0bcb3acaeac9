"""Bring .venv in line with pyproject.toml and with the locked files in this folder.

`make setup` runs this with the Python that .venv is to have, and with the names of the extras
wanted on top; extras once installed stay. pip fetches uv into .tools, and uv does the rest.
Where nothing has changed since the last time, neither of them is started.
"""

import fcntl
import functools
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "requirements"
TOOLS = ROOT / ".tools"
UV = TOOLS / "bin" / "uv"
VENV = ROOT / ".venv"
STAMP = VENV / "installed.json"


def main(asked: set[str]) -> None:
    """Install what is missing; `asked` holds names of extras."""
    offered = {path.stem for path in LOCKS.glob("*.txt")} - {"bootstrap", "setup"}
    if unknown := asked - offered:
        sys.exit(f"EXTRAS: no {', '.join(sorted(unknown))}; there are {', '.join(sorted(offered))}")

    with Path(__file__).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of two makes at once the second waits for the first
        installed = json.loads(STAMP.read_text()) if STAMP.is_file() else {}
        wanted = describe(sorted(offered & {*asked, *installed.get("extras", [])}))
        if installed == wanted:
            return
        print(f"Setting up .venv for {wanted['python']} ...", file=sys.stderr)
        STAMP.unlink(missing_ok=True)
        fetch_uv()
        if any(installed.get(key) != wanted[key] for key in ("root", "python")):
            uv("venv", "--clear", "--python", os.path.realpath(sys.executable), VENV)
        locks = [LOCKS / f"{name}.txt" for name in ("setup", *wanted["extras"])]
        # Where PYTHONDONTWRITEBYTECODE is set, as in many containers, dbt would else be compiled at each start.
        uv("pip", "sync", "--compile-bytecode", "--require-hashes", *locks)
        uv("pip", "install", "--no-deps", "--no-build-isolation", "--editable", ROOT)
        STAMP.write_text(json.dumps(wanted, indent=4) + "\n")


def describe(extras: list[str]) -> dict[str, Any]:
    """Say what .venv follows from: its place (its scripts name it), its Python, and the files."""
    files = [ROOT / "pyproject.toml", Path(__file__), *sorted(LOCKS.glob("*.txt"))]
    return {
        "root": str(ROOT),
        "python": f"Python {sys.version_info[0]}.{sys.version_info[1]} of {sys.base_prefix}",
        "extras": extras,
        "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
    }


def fetch_uv() -> None:
    """Have pip put the pinned uv into .tools: Debian's Python lets nothing into its own folders."""
    pins, fetched = LOCKS / "bootstrap.txt", TOOLS / "bootstrap.txt"
    if fetched.is_file() and fetched.read_bytes() == pins.read_bytes():
        return
    shutil.rmtree(TOOLS, ignore_errors=True)
    # A user's setting of one of the first two would make pip refuse a target folder.
    settings = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PIP_ROOT_USER_ACTION": "ignore"}
    call(*pip(), "install", "--quiet", "--require-hashes", "--target", TOOLS, "-r", pins, **settings)
    shutil.copy(pins, fetched)


def uv(*arguments: str | Path) -> None:
    """Run uv on .venv, with the index that pip would use where uv has been told none."""
    settings = {"UV_PYTHON": str(VENV / "bin" / "python"), "UV_SYSTEM_PYTHON": "0"}
    told = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("UV_INDEX_URL")
    if not told and (mirror := pip_mirror()):
        settings["UV_DEFAULT_INDEX"] = mirror
    if not is_writable(Path(answer(UV, "cache", "dir") or "/")):  # the home of a service, say
        settings["UV_CACHE_DIR"] = str(TOOLS / "cache")
    call(UV, "--quiet", *arguments, **settings)


@functools.cache
def pip() -> list[str]:
    """Return pip's command: of this Python or, since a .venv of uv has none, of the one below."""
    for python in (sys.executable, os.path.realpath(sys.executable)):
        command = [python, "-m", "pip", "--disable-pip-version-check"]
        if answer(*command, "--version"):
            return command
    sys.exit(f"{sys.executable} has no pip; on Debian: apt install python3-pip")


@functools.cache
def pip_mirror() -> str | None:
    """Return the index named in pip's settings, which uv does not read."""
    listing = answer(*pip(), "config", "list")
    found = dict(re.findall(r"^(global|install|:env:)\.index-url='(.*)'$", listing, re.M))
    return found.get(":env:") or found.get("install") or found.get("global")


def is_writable(folder: Path) -> bool:
    """Return whether a folder can be written to; makes it where there is none yet."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def answer(*command: str | Path) -> str:
    """Return what a command prints, nothing where it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode else done.stdout.strip()


def call(*command: str | Path, **settings: str) -> None:
    """Run a command that explains its own failures, with `settings` in its environment."""
    if subprocess.run(command, env={**os.environ, **settings}, check=False).returncode:
        sys.exit(f"Set-up stopped: {Path(command[0]).name} failed, see above.")


if __name__ == "__main__":
    main(set(sys.argv[1:]))

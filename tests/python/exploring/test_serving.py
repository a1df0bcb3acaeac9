"""The server as a process: its address, its end, and what keeps it from starting."""

import json
import signal
import socket
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from .conftest import Site


def got(address: str) -> Any:
    with urllib.request.urlopen(address, timeout=30) as answer:
        return json.load(answer)


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_through_a_publish_and_ends_without_noise(site: Site, serving: Any, ending: int) -> None:
    with serving() as (process, address):
        run = f"{address}model_outcomes/snapshot_run.json?_shape=array"
        before = got(run)[0]["run_id"]
        site.publish_again(f"after {before[:20]}")
        assert got(run)[0]["run_id"] == f"after {before[:20]}"
        process.send_signal(ending)
        assert process.wait(20) == (0 if ending == signal.SIGINT else -signal.SIGTERM)
        assert process.stderr.read() == ""


def test_it_listens_on_loopback_alone(serving: Any) -> None:
    with serving() as (_, address):
        port = int(address.rstrip("/").rpartition(":")[2])
        sockets = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        listening = {local for _, local, _, state, *_ in sockets if state == "0A" and int(local[-4:], 16) == port}
        assert listening == {f"0100007F:{port:04X}"}


def test_a_port_that_is_taken_is_said_in_one_line(site: Site) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        said = site.loader("serve", "--port", port, exits=2).stderr
    assert said == f"Error: port {port} of 127.0.0.1 is in use: choose another one with --port\n"


def test_an_address_that_is_not_ours_is_said_in_one_line(site: Site) -> None:
    said = site.loader("serve", "--host", "192.0.2.1", "--port", 0, exits=2).stderr
    assert said.startswith("Error: cannot serve on port 0 of 192.0.2.1: ")
    assert said.count("\n") == 1


def test_nothing_published_is_said_in_one_line(site: Site, tmp_path: Any) -> None:
    said = site.loader("serve", "--publish", tmp_path, exits=2).stderr
    assert said == (
        f"Error: nothing is published at {tmp_path}/model_outcomes.db yet: run `loader run`,"
        " or name its folder with --publish\n"
    )

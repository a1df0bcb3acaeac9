"""A Spark worker dies in the middle of a build: it ends right, or fails clearly and is right when run again."""

import time

import pytest

from .comparing import differences
from .conftest import Log
from .servers import Cluster
from .test_parity import Environment

CHECKED = ("model_stats", "model_rankings", "model_daily_trends")


@pytest.mark.slow
def test_a_build_survives_its_worker(
    sample_logs: tuple[Log, Log], spark_cluster: Cluster, engine_environment: Environment
) -> None:
    _, log = sample_logs
    log.environment = engine_environment("spark", log.database.parent)
    log.export("spark")
    select = ["--select", " ".join(f"+{name}" for name in CHECKED)]
    building = log.start("build", "--quiet", "--target", "spark", *select)
    deadline = time.monotonic() + 600
    while "int_outcomes_daily" not in log.said("spark"):
        assert building.poll() is None, building.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert spark_cluster.executors_of(0)
    spark_cluster.kill(0)
    output, _ = building.communicate(timeout=900)
    if building.returncode:
        assert building.returncode == 1, output
        log.build("spark", *select)
    names = [mart for mart in log.marts if mart.name in CHECKED]
    here, there = log.answers("sqlite", CHECKED), log.answers("spark", CHECKED)
    assert [each for mart in names for each in differences(mart, here[mart.name], there[mart.name])] == []

"""Readers and writers of the file while dbt builds in it."""

import sqlite3
import time


def test_readers_never_miss_a_table_or_view(project):
    project.write(
        large="{{ config(materialized='table') }} with recursive n(i) as (select 1 union all select i + 1 from n "
        "where i < 300) select i, '{{ invocation_id }}' as build from n",
        seen="select i, '{{ invocation_id }}' as build from {{ ref('large') }}",
    )
    project.put("seeds/colours.csv", "name\nred\ngreen\n")
    project.build()
    build = project.start("build", "--full-refresh")
    reader = project.connect(timeout=0.1)
    reads, builds = 0, set()
    while build.is_alive():
        seen = reader.execute("select count(*), min(large.build) from seen inner join large using (i)").fetchone()
        builds.add(seen[1])
        assert (seen[0], reader.execute("select count(*) from colours").fetchone()[0]) == (300, 2)
        reads += 1
    assert project.finish(build), project.output()
    assert reads > 10
    assert len(builds) == 2, "the reader did not see both builds"


def test_waits_for_a_writer_as_long_as_it_is_told(project):
    project.write(something="{{ config(materialized='table') }} select 1 as one")
    for timeout, patience_is_enough in (("0.3", False), ("30", True)):
        build = project.start("run", OUTCOMES_BUSY_TIMEOUT=timeout)
        writer = project.connect()
        writer.execute("begin immediate")
        project.await_log("begin immediate")
        deadline = time.monotonic() + 1
        while build.is_alive() and time.monotonic() < deadline:
            time.sleep(0.05)
        writer.execute("commit")
        writer.close()
        assert project.finish(build) is patience_is_enough, project.output()
    assert project.query("select one from something") == [(1,)]
    assert sqlite3.connect(project.database).execute("pragma journal_mode").fetchone() == ("wal",)

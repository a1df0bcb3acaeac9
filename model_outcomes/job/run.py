"""One run: lock, spool, legacy JSON, inbox, orchestrator's table, copy to the engine, dbt build, freshness, publish.

A fault in one input does not stop the other steps. The run publishes only marts that passed their tests. However the
run ends, it releases the lock and writes its results to its row and folder, so that the next run can go on.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import msgspec

from model_outcomes.answers import caveats
from model_outcomes.answers.phrases import counted
from model_outcomes.answers.queries import Answer
from model_outcomes.base import clock, outputs, paths
from model_outcomes.base.engines import SQLITE
from model_outcomes.base.errors import EXIT_REJECTED, BuildError, BusyError, OutcomesError
from model_outcomes.care import doctor_checks
from model_outcomes.intake import loads
from model_outcomes.job import dbt_step, findings, history, inputs, rejects
from model_outcomes.job.faults import Faults, say
from model_outcomes.job.stop_signals import Stopper
from model_outcomes.job.summary import BuildSummary, Summary
from model_outcomes.log import store
from model_outcomes.publish import publisher, report, snapshot
from model_outcomes.warehouse import builds, last_build, rules
from model_outcomes.warehouse.builds import CommandResult
from model_outcomes.warehouse.engines import targets

KEEP_RUNS = 100


@dataclass(frozen=True)
class Options:
    """The options of a run, with absolute paths. `wait` is in seconds. Without `publish` nothing is published."""

    inbox: Path | None = None
    legacy_json: Path | None = None
    uok: Path | None = None
    publish: Path | None = None
    wait: float = 0.0
    max_rejects: int = 0
    keep_runs: int = KEEP_RUNS
    fail_on: tuple[str, ...] = ()
    report: bool = True
    target: str = SQLITE
    quiet: bool = False


def run(database: Path, options: Options) -> Summary:
    """Run the whole job once and return its summary. Faults that a user can mend are in the summary, not raised."""
    with Stopper() as stopper:
        job = _Job(database, options, stopper)
        with job.faults.collected():
            job.run()
        stopper.finish()
        return job.final_summary()


class _Job:
    def __init__(self, database: Path, options: Options, stopper: Stopper) -> None:
        self.database, self.options, self.stopper = database, options, stopper
        self.started_s = time.monotonic()
        self.now = clock.utc_now()
        self.state: findings.State | None = None
        self.summary = Summary(None, paths.shown_path(database), options.target, started_at=clock.to_text(self.now))
        self.faults = Faults(database, self.summary.faults)

    def run(self) -> None:
        """Hold the lock, run the steps, and write down the results before the lock is released."""
        builds.project_folder()
        targets.check_places(self.database, self.options.target)
        outputs.check(paths.runs(self.database), self.database, "folder of runs", Path.is_dir, is_folder=True)
        with dbt_step.locked(self.database, self.options.target, wait=self.options.wait):
            if self.options.publish:
                publisher.prepare(self.options.publish, self.database)
            with closing(store.create_or_open(self.database)) as connection:
                self._run_on(connection)

    def _run_on(self, connection: sqlite3.Connection) -> None:
        folder = history.new_folder(paths.runs(self.database), self.now)
        self.summary.run_id, self.summary.folder = folder.name, str(folder)
        try:
            with self.faults.collected():
                watch = last_build.Watch(connection, self.database, self.options.target)
                history.begin(connection, folder.name, self.now, self.options.target)
                self._work(connection, folder, watch)
        finally:
            self.stopper.finish()
            with self.faults.collected():
                self._write_down(connection, folder)
                watch.note()

    def final_summary(self) -> Summary:
        """Return the summary with exit code and status, which follow from the faults, and the time of its end."""
        summary = self.summary
        summary.exit_code = self.faults.exit_code()
        summary.status = "interrupted" if self.faults.stop else "failed" if summary.exit_code else "succeeded"
        if summary.run_id is None and summary.exit_code == BusyError.exit_code:
            summary.status = "busy"
        if not summary.finished_at:
            summary.finished_at = clock.to_text(clock.utc_now())
            summary.seconds = round(time.monotonic() - self.started_s, 3)
        return summary

    def _say_progress(self, message: str) -> None:
        """Write a line of the log, unless the run is quiet."""
        if not self.options.quiet:
            say(message)

    def _work(self, connection: sqlite3.Connection, folder: Path, watch: last_build.Watch) -> None:
        last_reject = rejects.last_id(connection)
        try:
            with loads.lock(self.database):
                self._load_inputs(connection)
        finally:
            rejects.write(connection, last_reject, folder / "rejects.jsonl")
            self._count_unresolved_rejects(connection)
        if self.summary.rejected > self.options.max_rejects:
            self.faults.codes.add(EXIT_REJECTED)
            say(f"{self.summary.rejected:,} rejected, max_rejects is {self.options.max_rejects:,}")
        as_of = clock.to_text(clock.utc_now())
        last_outcome = self._export_log(connection)
        stale = self._stale_sources(connection, folder, self._build(folder, watch))
        with dbt_step.fetched(connection, self.database, self.options.target, last_outcome) as (source, marts):
            self._check(connection, marts, stale)
            source = replace(source, caveats=self.summary.caveats or ())
            if self.options.publish:
                self._publish(self.options.publish, folder.name, as_of, self._report(connection, marts), source)

    def _count_unresolved_rejects(self, connection: sqlite3.Connection) -> None:
        unresolved = self.summary.unresolved_rejects = rejects.unresolved(connection)
        if unresolved.lines > self.summary.rejected:
            say(
                f"{unresolved.lines:,} lines were rejected since {unresolved.since}: `loader rejects` lists them"
                " and forgets them"
            )

    def _load_inputs(self, connection: sqlite3.Connection) -> None:
        """Load each kind of input in turn. A fault in one does not stop the others."""
        options, summary = self.options, self.summary
        for step in inputs.steps(connection, self.database, options.legacy_json, options.inbox, options.uok):
            with self.faults.collected_from_input(step.name):
                result = step.take()
                setattr(summary, step.name, result.summary)
                summary.accepted += result.accepted
                summary.duplicates += result.duplicates
                summary.rejected += result.rejected
                for line in result.lines:
                    (say if result.rejected else self._say_progress)(line)
                for fault in result.faults:
                    self.faults.add(fault)

    def _export_log(self, connection: sqlite3.Connection) -> int | None:
        """Copy new rows of the log to the engine and return the id of the last outcome there. None on SQLite, which
        reads the log itself."""
        if self.options.target == SQLITE:
            return None
        from model_outcomes.warehouse.engines import export_log

        copied = export_log.export(connection, self.database, self.options.target)
        self.summary.carried = asdict(copied)
        self._say_progress(
            f"copied {copied.rows:,} outcomes to {self.options.target}, which now has all up to id {copied.last}"
        )
        return copied.last

    def _build(self, folder: Path, watch: last_build.Watch) -> CommandResult | None:
        """Build the marts, unless they are current, and note the results. Return the result of `dbt source freshness`
        if it ran with the build, else None. Raises BuildError if a dbt model or a test failed."""
        target = self.options.target
        if watch.is_current(builds.project_folder(), builds.changed_vars()):
            self.summary.build = BuildSummary(skipped=True)
            self._say_progress("nothing is new since the last build: nothing is built")
            return None
        self.summary.build = BuildSummary()
        watch.begin()
        started_s = time.monotonic()
        try:
            build, freshness = dbt_step.build(
                self.database, target, folder, with_views=not watch.has_current_views, quiet=self.options.quiet
            )
        finally:
            for name in ("run_results.json", rules.FILE):
                _copy_if_exists(dbt_step.results_folder(self.database, target) / name, folder)
        nodes = builds.nodes(self.database, target) or []
        self.summary.build = BuildSummary(
            len(nodes),
            round(time.monotonic() - started_s, 3),
            [{"name": node.name, "status": node.status, "message": node.message}
             for node in nodes if node.status in builds.FAILED_STATUSES],
        )  # fmt: skip
        watch.end({node.status for node in builds.expect_built(self.database, build, folder, target)})
        return freshness

    def _stale_sources(self, log: sqlite3.Connection, folder: Path, freshness: CommandResult | None) -> Answer:
        is_skipped = self.summary.build is not None and self.summary.build.skipped
        sources = dbt_step.aged_freshness(self.database, folder, log, clock.utc_now()) if is_skipped else None
        if sources is None:
            target, quiet = self.options.target, self.options.quiet
            sources = dbt_step.freshness(self.database, target, folder, freshness, quiet=quiet)
            _copy_if_exists(sources, folder)
        return findings.stale_sources(json.loads(sources.read_text(encoding="utf-8")))

    def _check(self, log: sqlite3.Connection, marts: sqlite3.Connection, stale: Answer) -> None:
        """Note findings, changes, caveats and the state of the marts. With `--fail-on` a finding is a fault."""
        answers = findings.read(marts)
        current = self.summary.findings = findings.find(answers, stale)
        changes = self.summary.changes = findings.changes(answers, *history.last_state(log))
        self.state = findings.state(answers)
        self.summary.caveats = caveats.read(marts, log, clock.utc_now(), doctor_checks.stale_after_s(self.database))
        for name, count in findings.counts(self.options.fail_on, current, changes).items():
            self.faults.add(BuildError(f"{counted(count, 'finding')} of the kind {name}, which --fail-on names"))

    def _report(self, log: sqlite3.Connection, marts: sqlite3.Connection) -> str | None:
        """Return the report as a page, None without one. A fault in it is noted and does not stop the publication."""
        if not self.options.report:
            return None
        try:
            report.expect_possible()
        except OutcomesError as missing:
            self._say_progress(f"no report is published: {missing}")
            return None
        changes = msgspec.to_builtins(self.summary.changes)
        try:
            return report.render(report.gather(marts, changes, log), clock.utc_now())
        except Exception as fault:
            message = str(fault) if isinstance(fault, OutcomesError) else f"{type(fault).__name__}: {fault}"
            self.faults.add(BuildError(f"no report is published: {message}"))
            return None

    def _publish(self, folder: Path, run_id: str, as_of: str, page: str | None, source: snapshot.Source) -> None:
        with (
            publisher.written(
                self.database, folder, run_id=run_id, as_of=as_of, report=page, source=source
            ) as publication,
            self.stopper.deferred(),
        ):
            publication.move_into_place()
            self.summary.published = {**asdict(publication), "folder": str(folder)}
        self._say_progress(f"published {publication.marts} marts in {folder}")

    def _write_down(self, connection: sqlite3.Connection, folder: Path) -> None:
        """Write the results to the run's row and folder, and remove the folders of old runs."""
        if self.options.publish and not self.summary.published:
            earlier = publisher.last_published(self.options.publish)
            self.faults.say(f"nothing was published: {earlier or 'there is no earlier publication'}")
        with self.faults.collected(), outputs.replacing(folder / "summary.json") as unfinished:
            unfinished.write_text(self.final_summary().as_json() + "\n", encoding="utf-8")
        history.prune(folder.parent, self.options.keep_runs)
        summary = self.final_summary()
        current, build = summary.findings or findings.Findings(), summary.build or BuildSummary()
        history.end(
            connection,
            folder.name,
            self.state,
            finished_at=summary.finished_at,
            status=summary.status,
            exit_code=summary.exit_code,
            message=self.faults.in_one_line(),
            accepted_count=summary.accepted,
            duplicate_count=summary.duplicates,
            rejected_count=summary.rejected,
            dbt_node_count=build.nodes,
            dbt_failure_count=len(build.failures),
            dbt_seconds=build.seconds,
            is_published=int(summary.published is not None),
            stale_count=len(current.stale),
            demotion_count=len(current.demotion),
            drift_count=len(current.drift),
            degenerate_count=len(current.degenerate),
            changes=msgspec.json.encode(summary.changes).decode() if summary.changes else None,
        )


def _copy_if_exists(file: Path, folder: Path) -> None:
    if file.exists():
        shutil.copyfile(file, folder / file.name)

"""One run: lock, spool, legacy JSON, inbox, the log to its engine, dbt build, freshness, publish, report.

A step that finds a fault in its input says so and lets the others go on; only what passed its tests is
published. Whatever happens, the lock is released, the run's row and folder say what came of it, and the
next run goes on from there.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path

import msgspec

from model_outcomes.answers import caveats
from model_outcomes.answers.queries import Answer
from model_outcomes.base import clock, console, errors, outputs, paths
from model_outcomes.base.engines import SQLITE
from model_outcomes.base.errors import (
    EXIT_REJECTED,
    BuildError,
    BusyError,
    InputBusyError,
    OutcomesError,
    plain_os_fault,
)
from model_outcomes.care import doctor_checks
from model_outcomes.intake import loads
from model_outcomes.job import dbt_step, findings, history, inputs, rejects
from model_outcomes.job.stop_signals import Stopped, Stopper
from model_outcomes.job.summary import BuildSummary, Summary, exit_code
from model_outcomes.log import store
from model_outcomes.publish import publisher, report, snapshot
from model_outcomes.warehouse import builds
from model_outcomes.warehouse.builds import Command
from model_outcomes.warehouse.engines import targets

KEEP_RUNS = 100
KEPT_REJECTS = 10_000
FAULTS_SHOWN = 20


@dataclass(frozen=True)
class Options:
    """The options of a run; paths are absolute. `publish` is None if nothing is to be published."""

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
    """Run the whole job once; what came of it, faults included. Raises nothing that a user can mend."""
    with Stopper() as stopper:
        job = _Job(database, options, stopper)
        with job.noting():
            job.run()
        stopper.finish()
        return job.concluded()


class _Job:
    def __init__(self, database: Path, options: Options, stopper: Stopper) -> None:
        self.database, self.options, self.stopper = database, options, stopper
        self.begun = time.monotonic()
        self.now = clock.utc_now()
        self.codes: set[int] = set()
        self.stopped: Stopped | None = None
        self.state: findings.State | None = None
        self.summary = Summary(None, paths.shown_path(database), options.target, started_at=clock.to_text(self.now))

    def run(self) -> None:
        """Do everything that needs the lock, and write down the results before the lock is released."""
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
            with self.noting():
                history.begin(connection, folder.name, self.now, self.options.target)
                self._work(connection, folder)
        finally:
            self.stopper.finish()
            with self.noting():
                self._write_down(connection, folder)

    def note(self, fault: OutcomesError) -> None:
        """Note a fault for the exit code and the summary, and write it as a line of the log."""
        self.codes.add(fault.exit_code)
        self._say_fault(str(fault))

    @contextmanager
    def noting(self) -> Iterator[None]:
        """Note a fault of the block, and let the run go on. An unexpected fault is noted with its traceback."""
        try:
            with store.plain_faults(self.database):
                yield
        except OutcomesError as fault:
            self.note(fault)
        except Stopped as stopped:
            self.stopped = stopped
            self._say_fault(f"stopped by {stopped}")
        except Exception as fault:
            if plain := plain_os_fault(fault):
                self.note(plain)
                return
            self.codes.add(BuildError.exit_code)
            self._say_fault(f"{type(fault).__name__}: {fault}")
            raise

    def concluded(self) -> Summary:
        """Return the summary, with what follows from all that was noted."""
        summary = self.summary
        summary.exit_code = self.stopped.exit_code if self.stopped else exit_code(self.codes)
        summary.status = "interrupted" if self.stopped else "failed" if summary.exit_code else "succeeded"
        if summary.run_id is None and summary.exit_code == BusyError.exit_code:
            summary.status = "busy"
        if not summary.finished_at:
            summary.finished_at = clock.to_text(clock.utc_now())
            summary.seconds = round(time.monotonic() - self.begun, 3)
        return summary

    @contextmanager
    def _noting_input(self, step: str) -> Iterator[None]:
        """Note a fault of one input, and let the run go on with the others, unless the log is locked."""
        try:
            with store.plain_faults(self.database), errors.naming(f"the input of the step {step}"):
                yield
        except OutcomesError as fault:
            if isinstance(fault, BusyError) and not isinstance(fault, InputBusyError):
                raise
            self.note(fault)

    def _say_fault(self, said: str) -> None:
        self.summary.faults.append(said)
        say(f"Error: {said}")

    def _say_progress(self, message: str) -> None:
        """Write a line of the log, unless the run is quiet."""
        if not self.options.quiet:
            say(message)

    def _work(self, connection: sqlite3.Connection, folder: Path) -> None:
        last_reject = _last_reject(connection)
        try:
            with loads.loading(self.database):
                self._take_in(connection)
        finally:
            _keep_rejects(connection, last_reject, folder / "rejects.jsonl")
            self._recall_rejects(connection)
        if self.summary.rejected > self.options.max_rejects:
            self.codes.add(EXIT_REJECTED)
            say(f"{self.summary.rejected:,} rejected, max_rejects is {self.options.max_rejects:,}")
        as_of = clock.to_text(clock.utc_now())
        last = self._carry(connection)
        stale = self._freshness(folder, self._build(folder))
        with dbt_step.fetched(connection, self.database, self.options.target, last) as (source, marts):
            self._find(connection, marts, stale)
            source = replace(source, caveats=self.summary.caveats or ())
            if self.options.publish:
                self._publish(self.options.publish, folder.name, as_of, self._report(connection, marts), source)

    def _recall_rejects(self, connection: sqlite3.Connection) -> None:
        unresolved = self.summary.unresolved_rejects = rejects.unresolved(connection)
        if unresolved.lines > self.summary.rejected:
            say(
                f"{unresolved.lines:,} lines were rejected in the last {rejects.REJECTS_DAYS} days: loader doctor"
                " says why"
            )

    def _take_in(self, connection: sqlite3.Connection) -> None:
        """Take in each kind of input in turn; the faults of one do not stop the others."""
        options, summary = self.options, self.summary
        for step in inputs.steps(connection, self.database, options.legacy_json, options.inbox, options.uok):
            with self._noting_input(step.name):
                came = step.take()
                setattr(summary, step.name, came.summary)
                summary.accepted += came.accepted
                summary.duplicates += came.duplicates
                summary.rejected += came.rejected
                for line in came.lines:
                    if came.rejected:
                        say(line)
                    else:
                        self._say_progress(line)
                for fault in came.faults:
                    self.note(fault)

    def _carry(self, connection: sqlite3.Connection) -> int | None:
        """Carry the log to where the engine reads it; return the last outcome there. None on SQLite, which has the
        log."""
        if self.options.target == SQLITE:
            return None
        from model_outcomes.warehouse.engines import export_log

        done = export_log.carry(connection, self.database, self.options.target)
        self.summary.carried = asdict(done)
        self._say_progress(
            f"{done.rows:,} outcomes carried to {self.options.target}, which has them up to id {done.last}"
        )
        return done.last

    def _build(self, folder: Path) -> Command | None:
        """Return what came of asking for freshness with it, None if that is still to be asked."""
        target = self.options.target
        self.summary.build = BuildSummary()
        begun = time.monotonic()
        try:
            built, told = dbt_step.build(self.database, target, folder, quiet=self.options.quiet)
        finally:
            _keep(dbt_step.results(self.database, target) / "run_results.json", folder)
        nodes = builds.nodes(self.database, target) or []
        self.summary.build = BuildSummary(
            len(nodes),
            round(time.monotonic() - begun, 3),
            [{"name": node.name, "status": node.status, "message": node.message}
             for node in nodes if node.status in builds.FAILED],
        )  # fmt: skip
        builds.expect_built(self.database, built, folder, target)
        return told

    def _freshness(self, folder: Path, told: Command | None) -> Answer:
        sources = dbt_step.freshness(self.database, self.options.target, folder, told, quiet=self.options.quiet)
        _keep(sources, folder)
        return findings.stale_sources(json.loads(sources.read_text(encoding="utf-8")))

    def _find(self, log: sqlite3.Connection, marts: sqlite3.Connection, stale: Answer) -> None:
        found = self.summary.findings = findings.find(marts, stale)
        changes = self.summary.changes = findings.changes(marts, *history.last_state(log))
        self.state = findings.state(marts)
        self.summary.caveats = caveats.read(marts, log, clock.utc_now(), doctor_checks.stale_after_s(self.database))
        for name, count in findings.named(self.options.fail_on, found, changes).items():
            self.note(BuildError(f"{count} found: {name}, which --fail-on names"))

    def _report(self, log: sqlite3.Connection, marts: sqlite3.Connection) -> str | None:
        """Return the page that is published beside the marts. A fault of the page is noted, and does not stop the
        publication."""
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
            said = str(fault) if isinstance(fault, OutcomesError) else f"{type(fault).__name__}: {fault}"
            self.note(BuildError(f"no report is published: {said}"))
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
        """Write the row and the folder, and remove the folders beyond those to keep."""
        if self.options.publish and not self.summary.published:
            stands = publisher.last_published(self.options.publish)
            self._say_fault(f"nothing was published: {stands or 'there is nothing yet'}")
        with self.noting(), outputs.replacing(folder / "summary.json") as unfinished:
            unfinished.write_text(self.concluded().as_json() + "\n", encoding="utf-8")
        history.prune(folder.parent, self.options.keep_runs)
        summary = self.concluded()
        found, build = summary.findings or findings.Findings(), summary.build or BuildSummary()
        history.end(
            connection,
            folder.name,
            self.state,
            finished_at=summary.finished_at,
            status=summary.status,
            exit_code=summary.exit_code,
            message=_message(summary.faults),
            accepted_count=summary.accepted,
            duplicate_count=summary.duplicates,
            rejected_count=summary.rejected,
            dbt_node_count=build.nodes,
            dbt_failure_count=len(build.failures),
            dbt_seconds=build.seconds,
            is_published=int(summary.published is not None),
            stale_count=len(found.stale),
            demotion_count=len(found.demotion),
            drift_count=len(found.drift),
            degenerate_count=len(found.degenerate),
            changes=msgspec.json.encode(summary.changes).decode() if summary.changes else None,
        )


def say(what: str) -> None:
    """Write a line of the log, in the form of dbt's own."""
    console.say(f"{datetime.now():%H:%M:%S}  {what}", err=True)


def _message(faults: list[str]) -> str | None:
    """Return the first faults in one line: an inbox may have a hundred thousand, which the summary names."""
    more = [f"and {len(faults) - FAULTS_SHOWN:,} more"] if len(faults) > FAULTS_SHOWN else []
    return "; ".join(faults[:FAULTS_SHOWN] + more) or None


def _keep(file: Path, folder: Path) -> None:
    """Copy a file that dbt left, if there is one."""
    if file.exists():
        shutil.copyfile(file, folder / file.name)


def _last_reject(connection: sqlite3.Connection) -> int:
    last: int = connection.execute("select coalesce(max(rejected_id), 0) from rejected_outcomes").fetchone()[0]
    return last


def _keep_rejects(connection: sqlite3.Connection, after: int, path: Path) -> None:
    """Write the lines that were rejected since, at most KEPT_REJECTS: all are in `rejected_outcomes`."""
    rows = connection.execute(
        "select source, line_number, reasons, raw_text from rejected_outcomes where rejected_id > ?"
        " order by rejected_id limit ?",
        (after, KEPT_REJECTS),
    ).fetchall()
    if rows:
        lines = [
            {"source": source, "line_number": number, "reasons": json.loads(reasons), "raw_text": raw_text}
            for source, number, reasons, raw_text in rows
        ]
        path.write_bytes(msgspec.json.Encoder().encode_lines(lines))

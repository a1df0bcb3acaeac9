"""The rules of tables: one line for each rule that a data test `rules` checks, and a file of them beside dbt's results.

The test is one node of dbt for all rules of a table (tests/generic/rules.sql), so dbt itself only tells how many rules
are broken. In dbt's process, `report_rules` reads the broken ones from the test's own query, on any engine.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from dbt.artifacts.schemas.run import RunResult
    from dbt.task.test import TestRunner

FILE = "rules.json"
BROKEN = "broken: "  # a message that names broken rules begins with it
TEST = "rules"  # the generic test
NAME = re.compile(r"'((?:[^']|'')*)' as rule_name")
NO_RULE = "none"  # of a test whose only rule is enforced by the table itself


class Rule(msgspec.Struct):
    """A rule of a table. `test` is dbt's unique id; `status` is pass, fail or warn; `broken_rows` counts rows (for
    `unique`: keys) that break it."""

    test: str
    table: str
    rule: str
    status: str
    broken_rows: int


def report_rules() -> list[Rule]:
    """Let dbt print a line for each rule after the line of its test, and name the broken rules in the message of the
    test's result. Return the list that gets the rules of all tests that dbt runs from now on. Call it in dbt's process.
    """
    from dbt.task.test import TestRunner
    from dbt_common.events.base_types import EventLevel
    from dbt_common.events.functions import fire_event
    from dbt_common.events.types import Note

    execute, print_result_line = TestRunner.execute, TestRunner.print_result_line
    rules: list[Rule] = []

    def execute_and_read(runner: TestRunner, test: Any, manifest: Any) -> RunResult:
        result: RunResult = execute(runner, test, manifest)
        if _is_rules(test):
            rules.extend(checked := _checked(runner, test, result))
            broken = [f"{rule.rule} ({rule.broken_rows:,})" for rule in checked if rule.broken_rows]
            result.message = f"{BROKEN}{'; '.join(broken)}" if broken else result.message
        return result

    def print_lines(runner: TestRunner, result: RunResult) -> None:
        print_result_line(runner, result)  # type: ignore[no-untyped-call]
        for rule in rules:
            if rule.test == result.node.unique_id:
                count = f" {rule.broken_rows:,}" if rule.broken_rows else ""
                level = {"fail": EventLevel.ERROR, "warn": EventLevel.WARN}.get(rule.status, EventLevel.INFO)
                fire_event(Note(msg=f"    {rule.status.upper()}{count} {rule.table}: {rule.rule}"), level=level)

    TestRunner.execute = execute_and_read  # type: ignore[assignment, method-assign]
    TestRunner.print_result_line = print_lines  # type: ignore[method-assign]
    return rules


def read(folder: Path) -> list[Rule]:
    """Return the rules that the last build checked, from dbt's folder of results."""
    try:
        return msgspec.json.decode((folder / FILE).read_bytes(), type=list[Rule])
    except (OSError, msgspec.MsgspecError):
        return []


def _is_rules(test: Any) -> bool:
    metadata = getattr(test, "test_metadata", None)
    return metadata is not None and metadata.name == TEST


def _checked(runner: TestRunner, test: Any, result: RunResult) -> list[Rule]:
    broken: dict[str, int] = {}
    if result.failures:
        _, rows = runner.adapter.execute(test.compiled_code, fetch=True)
        broken = {str(name): int(count) for name, count in rows.rows}
    table = (test.attached_node or test.depends_on.nodes[0]).split(".")[-1]
    names = [name.replace("''", "'") for name in NAME.findall(test.compiled_code) if name != NO_RULE]
    return [
        Rule(test.unique_id, table, name, str(result.status) if name in broken else "pass", broken.get(name, 0))
        for name in names
    ]

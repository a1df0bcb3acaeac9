"""sqlfluff reads dbt models as the project writes them: macros are calls, and style is judged."""

from pathlib import Path

import pytest
import sqlfluff

ROOT = Path(__file__).parents[3]
MODEL = """\
with

outcomes as (
    select * from {{ ref('stg_outcomes') }}
)

select
    task_type,
    {{ wilson_lower('sum(success)', 'count(*)') }} as success_rate_lower
from outcomes
group by 1
"""


def faults(sql: str, monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """Return the codes of what sqlfluff finds, as in `make lint`."""
    monkeypatch.chdir(ROOT)
    return {fault["code"] for fault in sqlfluff.lint(sql, config_path=".sqlfluff")}


def test_a_model_that_calls_a_macro_passes(monkeypatch):
    assert faults(MODEL, monkeypatch) == set()


@pytest.mark.parametrize(
    ("written", "instead", "code"),
    [
        ("wilson_lower", "wilson_lowest", "TMP"),  # no such macro
        ("select\n", "SELECT\n", "CP01"),
        ("    task_type", "  task_type", "LT02"),
        ("task_type,", "task_type kind,", "AL02"),
    ],
)
def test_a_fault_is_found(monkeypatch, written, instead, code):
    assert code in faults(MODEL.replace(written, instead), monkeypatch)

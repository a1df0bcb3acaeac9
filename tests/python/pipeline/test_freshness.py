"""Where dbt cannot tell how fresh the log is, the run says what dbt said."""

from pathlib import Path

import pytest

from model_outcomes.base.errors import BuildError
from model_outcomes.job import dbt_step
from model_outcomes.warehouse import builds
from model_outcomes.warehouse.builds import CommandResult


@pytest.mark.parametrize(("fault", "said"), [("no such column: when", "no such column: when"), (None, "no reason")])
@pytest.mark.parametrize("target", ["sqlite", "duckdb"])
def test_a_fault_of_dbt_is_told(
    target: str, fault: str | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = CommandResult(dbt_step.FRESHNESS, success=False, fault=fault)
    monkeypatch.setattr(builds, "run_dbt", lambda *_, **__: [told])
    with pytest.raises(BuildError, match=said):
        dbt_step.freshness(tmp_path / "log.db", target, tmp_path, told if target == "sqlite" else None)

"""The thresholds of the last build, from its table build_settings. Code that uses a threshold reads it here."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, fields
from statistics import NormalDist

from model_outcomes.base.connection import Connection
from model_outcomes.base.dbt_vars import DbtVars

TABLE = "build_settings"
SHIPPED = DbtVars()


@dataclass(frozen=True)
class BuildSettings:
    """The vars that Python shows or uses, and `z`, the normal quantile at 1 - alpha/2. Before the first build they have
    their default values."""

    alpha: float = SHIPPED.alpha
    z: float = round(NormalDist().inv_cdf(1 - SHIPPED.alpha / 2), 15)
    min_samples: int = SHIPPED.min_samples
    min_trials_per_arm: int = SHIPPED.min_trials_per_arm
    min_strata: int = SHIPPED.min_strata
    min_shared_tasks: int = SHIPPED.min_shared_tasks
    min_shared_task_share: float = SHIPPED.min_shared_task_share
    sequential_mode: str = SHIPPED.sequential_mode
    sequential_tuning_trials: int = SHIPPED.sequential_tuning_trials.default
    incumbent_days: int = SHIPPED.incumbent_days
    incumbent_share: float = SHIPPED.incumbent_share
    min_exported_outcomes: int = SHIPPED.min_exported_outcomes

    @property
    def level(self) -> str:
        """Return the level of the intervals as text: `95 %`."""
        return f"{100 - 100 * self.alpha:.10g} %"


def read(connection: Connection) -> BuildSettings:
    """Return the settings of the last build of a database: the log, another engine, or a snapshot."""
    if (
        isinstance(connection, sqlite3.Connection)
        and not connection.execute("select 1 from sqlite_master where name = ?", (TABLE,)).fetchone()
    ):
        return BuildSettings()
    rows = connection.execute(f"select name, value, numeric_value from {TABLE}").fetchall()
    values = {name: text if number is None else number for name, text, number in rows}
    names = [field.name for field in fields(BuildSettings) if field.name in values]
    return BuildSettings(**{name: type(getattr(BuildSettings, name))(values[name]) for name in names})

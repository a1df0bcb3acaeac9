"""The thresholds of the last build, from its table build_settings: everything that shows one reads it here."""

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
    """The vars that Python shows or computes with, and `z`, the normal quantile at 1 - alpha/2. What is not built yet
    has the shipped values."""

    alpha: float = SHIPPED.alpha
    z: float = round(NormalDist().inv_cdf(1 - SHIPPED.alpha / 2), 15)
    min_samples: int = SHIPPED.min_samples
    min_trials_per_arm: int = SHIPPED.min_trials_per_arm
    incumbent_days: int = SHIPPED.incumbent_days
    incumbent_share: float = SHIPPED.incumbent_share
    min_exported_outcomes: int = SHIPPED.min_exported_outcomes

    @property
    def level(self) -> str:
        """Return the level of the intervals in words: `95 %`."""
        return f"{100 - 100 * self.alpha:.10g} %"


def read(connection: Connection) -> BuildSettings:
    """Return the settings of the build that a database has: the log's, another engine's, or a snapshot."""
    if (
        isinstance(connection, sqlite3.Connection)
        and not connection.execute("select 1 from sqlite_master where name = ?", (TABLE,)).fetchone()
    ):
        return BuildSettings()
    built = dict(connection.execute(f"select name, number from {TABLE}").fetchall())
    names = [field.name for field in fields(BuildSettings) if field.name in built]
    return BuildSettings(**{name: type(getattr(BuildSettings, name))(built[name]) for name in names})

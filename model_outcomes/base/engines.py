"""The engines on which dbt can build, by the names of their targets in profiles.yml."""

from __future__ import annotations

from typing import Literal, get_args

SQLITE = "sqlite"
Target = Literal["sqlite", "duckdb", "postgres", "spark"]
TARGETS: tuple[str, ...] = get_args(Target)

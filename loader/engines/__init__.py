"""Other engines than SQLite: how the log gets there, and what dbt and questions need to find it.

`log_tables` says what goes along, `parquet_log` and `postgres_log` carry it, `targets` knows where each
engine keeps things, and `asking` puts the questions of `stats` and `rank` to it.
"""

SQLITE = "sqlite"
# As the targets in profiles.yml are named.
TARGETS = (SQLITE, "duckdb", "postgres", "spark")

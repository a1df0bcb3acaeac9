"""Other engines than SQLite: how the log gets there, and what dbt and questions need to find it.

`log_tables` says what goes along, `parquet_log` and `postgres_log` carry it (`carrying` picks the one that an
engine reads), `targets` knows where each engine keeps things, and `asking` puts questions to it.
"""

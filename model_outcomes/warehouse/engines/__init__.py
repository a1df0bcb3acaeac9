"""Engines other than SQLite: exports of the log to them, their settings for dbt, and connections to what was built.

`log_tables` defines the exported tables, `parquet_log` and `postgres_log` write them, `export_log` picks one of the
two by engine, `targets` has the paths and variables of each engine, and `connections` opens it to read.
"""

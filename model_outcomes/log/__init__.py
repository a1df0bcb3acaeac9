"""The append-only log: one SQLite file, its schema, and the two ways to append to it."""

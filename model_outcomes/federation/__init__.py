"""Exchanges statistics between projects: sums per task type and model are exported and imported, never outcomes.

`windows` is the calendar of exports, `format` defines the lines of a file, `files` reads and writes it. `exports`
and `imports` are the two directions, `ledger` holds this project's own exports, `privacy` adds noise, `option_files`
reads the files that options name, and `exchanges` lists it all. docs/guides/federation.md has the rules.
"""

"""Projects learn from each other: sums per task type and model leave and come in, never outcomes.

`windows` is the calendar of exports, `format` what a line of a file is, `exporting` and `importing`
the two ways, `privacy` the noise, `ledger` what is remembered. docs/guides/federation.md has the rules.
"""

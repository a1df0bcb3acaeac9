"""The ways into the log: files, spools, the inbox, an older tool's JSON, and the orchestrator's table."""

"""The ways into the log: files, the inbox, an older tool's JSON, and the orchestrator's table."""

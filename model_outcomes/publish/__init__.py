"""What other people get: the snapshot, exported files, the report and the explorer."""

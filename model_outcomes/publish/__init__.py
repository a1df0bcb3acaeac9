"""Publication of the marts for other people: the snapshot, exported files, the report and the explorer."""

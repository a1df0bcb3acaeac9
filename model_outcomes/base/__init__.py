"""The foundation of all other rooms: errors and exit codes, messages, paths, locks, settings, output files."""

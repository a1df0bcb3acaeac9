"""What every other room uses: errors and exit codes, paths, locks, settings, and files written whole."""

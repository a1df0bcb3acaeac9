"""Care of a log: doctor, backup and audit."""

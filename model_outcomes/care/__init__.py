"""Cares for a log: doctor, backup and audit."""
